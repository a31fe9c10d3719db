/** Lets one node at a time do a job. It saves work; what the job writes has to be right without it. */
export interface LeaseStore {
  /** Takes or renews the lease for so many seconds; false while another node holds it. */
  acquire(name: string, holder: string, seconds: number): Promise<boolean>;
  /** Gives the lease back, so that the next node need not wait for its end. */
  release(name: string, holder: string): Promise<void>;
}
