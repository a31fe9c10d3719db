import { type Logger, pino } from 'pino';

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

/**
 * The process's log: JSON lines, or readable ones for a terminal.
 * Fields whose names promise a secret are cut whatever object they arrive in, two levels deep.
 */
export function createLogger(options: { level: string; pretty: boolean }): Logger {
  const paths = secretFields.flatMap((field) => [`["${field}"]`, `*["${field}"]`, `*.*["${field}"]`]);
  return pino({
    level: options.level,
    base: null,
    redact: { paths, censor: '[cut]' },
    ...(options.pretty
      ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } } }
      : { timestamp: pino.stdTimeFunctions.isoTime }),
  });
}

/** A log that drops everything; for tests. */
export const silentLogger = (): Logger => pino({ level: 'silent' });
