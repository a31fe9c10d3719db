import { Writable } from 'node:stream';
import { pino } from 'pino';
/** A log that keeps its lines, for looking at what was written and what was not. */
export function memoryLog() {
    const lines = [];
    const stream = new Writable({
        write(data, _encoding, done) {
            lines.push(JSON.parse(String(data)));
            done();
        },
    });
    return { logger: pino({ level: 'debug', base: null }, stream), lines, text: () => JSON.stringify(lines) };
}
