import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { AppError } from '../shared/errors.ts';
import type { ControlRequest, ControlResponse } from './control-message.ts';
import { assertOwn, controlPath } from './control-path.ts';

const answerMs = 60_000;

/**
 * Asks the server that runs on a data directory to execute a command. Undefined when none runs there.
 * @throws AppError `unavailable` when one does but the answer got lost; what it did is then unknown.
 */
export async function callServer(dataDir: string, request: ControlRequest): Promise<ControlResponse | undefined> {
  const path = controlPath(dataDir);
  if (!existsSync(path)) return undefined;
  assertOwn(dirname(path));
  return new Promise((resolve, reject) => {
    let text = '';
    let connected = false;
    const lost = (reason: string): void =>
      reject(
        new AppError('unavailable', 'The running server did not answer. Look whether it did what it was told.', {
          reason,
        }),
      );
    const socket = createConnection(path, () => {
      connected = true;
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.setEncoding('utf8').setTimeout(answerMs, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', (error) => {
      // Nobody listens: the socket of a server that was killed.
      if (connected) lost(error.message);
      else resolve(undefined);
    });
    socket.on('close', () => {
      if (!connected) return resolve(undefined);
      try {
        resolve(JSON.parse(text) as ControlResponse);
      } catch {
        lost('the connection was closed');
      }
    });
  });
}
