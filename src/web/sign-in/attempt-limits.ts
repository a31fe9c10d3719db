/** Counts tries of one address at one account, and of one address alone; seconds to wait, 0 when it may go on. */
export interface AttemptLimits {
  /** Before a password is looked at. */
  blockedFor(ip: string, login: string): Promise<number>;
  /** After it was wrong. */
  failed(ip: string, login: string): Promise<void>;
}
