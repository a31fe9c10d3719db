import { destination, type Logger, pino, stdTimeFunctions, transport } from 'pino';

export type { Logger } from 'pino';

const secretFields = [
  'password',
  'new-password',
  'code',
  'client_secret',
  'client_assertion',
  'refresh_token',
  'access_token',
  'id_token',
  'id_token_hint',
  'code_verifier',
  'token',
  'secret',
  'authorization',
  'cookie',
  'set-cookie',
];

export interface Logs {
  /** For everything: fields whose names promise a secret are cut, whatever object they arrive in, two levels deep. */
  readonly logger: Logger;
  /** For lines whose fields are fixed and known to be harmless; without the search for secrets it costs a fifth. */
  readonly access: Logger;
}

/** The process's log on standard output: JSON lines, or readable ones for a terminal. Lines leave in the order written. */
export function createLogs({ level, pretty }: { level: string; pretty: boolean }): Logs {
  const paths = secretFields.flatMap((field) => [`["${field}"]`, `*["${field}"]`, `*.*["${field}"]`]);
  const redact = { paths, censor: '[cut]' };
  if (pretty) {
    const terminal = transport({
      target: 'pino-pretty',
      options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss', singleLine: true },
    });
    // One stream for both, as below. A request's line has a `code` that says why it was refused, and has to be read.
    return { logger: pino({ level, base: null, redact }, terminal), access: pino({ level, base: null }, terminal) };
  }
  // Asynchronous: under load many lines become one write, which costs more than making them; a quiet log is a tenth of
  // a second late, and the end of the process writes what is left. A single file keeps their order.
  const file = destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 });
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  return { logger: pino({ ...options, redact }, file), access: pino(options, file) };
}

/** A log that drops everything; for tests. */
export const silentLogger = (): Logger => pino({ level: 'silent' });
