import type { Clock } from '../shared/clock.ts';
import { randomSecret } from '../shared/ids.ts';
import type { Run } from './run.ts';

const limits = { visits: 200, runs: 20, milliseconds: 8 * 3600 * 1000 };

/** One browser at the playground. */
export interface Visit {
  readonly id: string;
  readonly runs: Map<string, Run>;
  /** Sent along with a sign-out, and told apart by it when the browser comes back. */
  signOutState?: string;
  touchedAt: number;
}

/** The browsers that are here, in memory: few, for some hours, the longest unseen forgotten first. */
export class Visits {
  readonly #visits = new Map<string, Visit>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The visit of this cookie. An id is 256 random bits, so that none can be guessed. */
  find(id: string | undefined): Visit | undefined {
    const visit = id === undefined ? undefined : this.#visits.get(id);
    if (!visit) return undefined;
    this.#visits.delete(visit.id);
    if (this.#clock.now() - visit.touchedAt > limits.milliseconds) return undefined;
    visit.touchedAt = this.#clock.now();
    this.#visits.set(visit.id, visit);
    return visit;
  }

  create(): Visit {
    const visit: Visit = { id: randomSecret(), runs: new Map(), touchedAt: this.#clock.now() };
    this.#visits.set(visit.id, visit);
    dropOldest(this.#visits, limits.visits);
    return visit;
  }
}

function dropOldest(map: Map<string, unknown>, keep: number): void {
  for (const key of map.keys()) {
    if (map.size <= keep) return;
    map.delete(key);
  }
}

/** Remembers a run; a visit keeps the newest twenty. */
export function keepRun<T extends Run>(visit: Visit, run: T): T {
  visit.runs.set(run.id, run);
  dropOldest(visit.runs, limits.runs);
  return run;
}
