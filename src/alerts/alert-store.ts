import type { AlertState } from './alert.ts';

/** Where alerts stand, so that a restart neither repeats nor loses one. */
export interface AlertStore {
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Takes the lead for this transaction; false when another node has it, or looked less than `seconds` ago.
   * @param now milliseconds since the epoch
   */
  lead(now: number, seconds: number): Promise<boolean>;
  load(): Promise<ReadonlyMap<string, AlertState>>;
  save(states: ReadonlyMap<string, AlertState>, now: number): Promise<void>;
}
