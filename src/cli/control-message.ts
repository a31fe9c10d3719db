import { AppError, type ErrorCode } from '../shared/errors.ts';

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

/** What the server answered. @throws AppError as the server did, or Error when it failed. */
export function resultOf(response: ControlResponse): unknown {
  if (response.ok) return response.result;
  const { code, message, fields } = response.error;
  throw code === 'internal' ? new Error(message) : new AppError(code, message, { ...(fields && { fields }) });
}
