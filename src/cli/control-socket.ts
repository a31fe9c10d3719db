import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { AppError, reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { callServer } from './control-client.ts';
import type { ControlRequest, ControlResponse } from './control-message.ts';
import { controlPath, ownControlDirectory } from './control-path.ts';
import type { Domains } from './domains.ts';

interface Needs {
  readonly dataDir: string;
  readonly domains: Domains;
  readonly logger: Logger;
}

const maxRequestBytes = 1024 * 1024;
const idleMs = 30_000;

function parseRequest(line: string): ControlRequest {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    throw new AppError('invalid_input', 'The request is not JSON.');
  }
  if (
    typeof request !== 'object' ||
    request === null ||
    !('command' in request) ||
    typeof request.command !== 'string'
  ) {
    throw new AppError('invalid_input', 'The request names no command.');
  }
  return { command: request.command, input: 'input' in request ? request.input : {} };
}

async function answer({ domains, logger }: Needs, line: string): Promise<ControlResponse> {
  try {
    const { command: name, input } = parseRequest(line);
    if (name === 'ping') return { ok: true, result: { pid: process.pid } };
    // Loaded when somebody asks: a start does not wait for it.
    const { executable } = await import('./domain-commands.ts');
    const command = executable.find((candidate) => candidate.name === name);
    if (!command) {
      throw new AppError('invalid_input', `The running server does not know \`${name}\`. Is it another version?`);
    }
    const result = await command.execute(input, domains);
    logger.info({ command: name }, 'a command was executed for the command line');
    return { ok: true, result };
  } catch (error) {
    if (error instanceof AppError) {
      const { fields } = error.details;
      return { ok: false, error: { code: error.code, message: error.message, ...(fields && { fields }) } };
    }
    logger.error({ reason: reasonOf(error) }, 'a command from the command line failed');
    return { ok: false, error: { code: 'internal', message: 'The server failed; its log says why.' } };
  }
}

async function converse(needs: Needs, socket: Socket, answering: Set<Promise<unknown>>): Promise<void> {
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxRequestBytes) socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) {
    const answered = answer(needs, line).then((response) => socket.end(`${JSON.stringify(response)}\n`));
    answering.add(answered);
    await answered.finally(() => answering.delete(answered));
    return;
  }
}

/**
 * Lets the command line reach this server through a socket that only this user can open. A second server on the same
 * data directory goes without; what a killed one left behind is replaced.
 */
export async function startControlSocket(needs: Needs): Promise<AsyncDisposable> {
  const path = controlPath(needs.dataDir);
  ownControlDirectory(path);
  if (await callServer(needs.dataDir, { command: 'ping', input: {} })) {
    needs.logger.warn({ path }, 'another server answers the command line for this data directory');
    return { [Symbol.asyncDispose]: async () => undefined };
  }
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const answering = new Set<Promise<unknown>>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    converse(needs, socket, answering).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  chmodSync(path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.allSettled(answering);
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
