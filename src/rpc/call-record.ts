import { status } from '@grpc/grpc-js';
import type { Client } from '../clients/index.ts';
import { newReference } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';

interface Needs {
  /** Where finished calls are written. */
  readonly access: Logger;
  readonly observe: (call: { readonly method: string; readonly code: string; readonly seconds: number }) => void;
}

/** One call: who asks and what became of it. */
export interface CallRecord {
  readonly requestId: string;
  /** Milliseconds of the process's clock. */
  readonly since: number;
  /** Set once it has proven itself. */
  caller?: Client;
  /** Writes the one line about it. What comes after the first is ignored. */
  finish(code: status): void;
}

/** Makes records. */
export const createRecords =
  ({ access, observe }: Needs) =>
  (method: string, ip: string): CallRecord => {
    let finished = false;
    return {
      requestId: newReference('req'),
      since: performance.now(),
      finish(code) {
        if (finished) return;
        finished = true;
        const { requestId, caller } = this;
        const milliseconds = performance.now() - this.since;
        const answered = status[code] ?? String(code);
        const line = { method, code: answered, ms: Math.round(milliseconds * 10) / 10, ip, requestId };
        access[code === status.INTERNAL ? 'error' : 'info']({ ...line, ...(caller && { client: caller.id }) }, 'call');
        observe({ method, code: answered, seconds: milliseconds / 1000 });
      },
    };
  };
