import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

/** A log that keeps its lines, for looking at what was written and what was not. */
export function memoryLog(): { readonly logger: Logger; readonly lines: Record<string, unknown>[]; text(): string } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(data, _encoding, done) {
      lines.push(JSON.parse(String(data)) as Record<string, unknown>);
      done();
    },
  });
  return { logger: pino({ level: 'debug', base: null }, stream), lines, text: () => JSON.stringify(lines) };
}
