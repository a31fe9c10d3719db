import type { ErrorCode } from '../shared/errors.ts';

/** What goes over the socket, one line of JSON each way. */
export interface ControlRequest {
  readonly command: string;
  readonly input: unknown;
}

export type ControlResponse =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly error: {
        readonly code: ErrorCode | 'internal';
        readonly message: string;
        readonly fields?: Readonly<Record<string, string>>;
      };
    };
