// The body of the thread that the embedded database runs in. It is started by pglite-thread.ts.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { DurableFiles, serverParameters } from './pglite-files.ts';
import { type FromServer, type PglitePlace, simpleQuery, stateAfter, type ToServer } from './pglite-protocol.ts';
import { readTemplate } from './pglite-template.ts';

/** The types of this project know no browser, where WebAssembly is declared. */
declare const WebAssembly: { compile(code: Uint8Array): Promise<object> };

/** PGlite's program, compiled while the rest of the server loads; or as an earlier thread of this process has it. */
async function compileProgram(): Promise<object> {
  const dir = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  return WebAssembly.compile(readFileSync(join(dir, 'pglite.wasm')));
}

const known = workerData as object | undefined;
const program = known ? Promise.resolve(known) : compileProgram();
// Whoever opens a database is told.
program.catch(() => undefined);

async function open({ dir }: PglitePlace): Promise<PGlite> {
  const startParams = serverParameters(PGlite.defaultStartParams, dir !== undefined);
  const pgliteWasmModule = await program;
  if (dir !== undefined) return PGlite.create({ pgliteWasmModule, fs: new DurableFiles(dir), startParams });
  const template = readTemplate();
  return PGlite.create({
    pgliteWasmModule,
    dataDir: 'memory://',
    startParams,
    ...(template && { loadDataDir: new Blob([new Uint8Array(template)]) }),
  });
}

const port = parentPort;
if (!port) throw new Error('This file is the body of a thread.');
const say = (text: FromServer, ...moved: ArrayBuffer[]): void => port.postMessage(text, moved);

let pglite: PGlite | undefined;
/** Who has a transaction open. */
let busyFor: number | undefined;
let dead = false;

function execute(client: number, bytes: Uint8Array): { answer: Uint8Array<ArrayBuffer>; dead: boolean } {
  // It would wait for ever.
  if (dead) return { answer: new Uint8Array(), dead };
  try {
    const answer = new Uint8Array(pglite?.execProtocolRawSync(bytes) ?? []);
    const state = stateAfter(answer);
    if (state.idle !== undefined) busyFor = state.idle ? undefined : client;
    dead = state.dead;
    return { answer, dead };
  } catch {
    // The program itself broke down. Nobody can say what it still knows; the files are as they are after a crash.
    dead = true;
    return { answer: new Uint8Array(), dead };
  }
}

port.on('message', async (message: ToServer) => {
  if (message === 'close') {
    await pglite?.close();
    return port.close();
  }
  if ('bytes' in message) {
    const done = execute(message.client, message.bytes);
    return say(done, done.answer.buffer);
  }
  if ('left' in message) {
    // The next client must not find itself in the transaction of one that went away.
    if (busyFor === message.left) execute(message.left, simpleQuery('rollback'));
    return;
  }
  try {
    pglite = await open(message.open);
    say({ opened: known ? undefined : await program });
  } catch (error) {
    say({ refused: error instanceof Error ? error.message : String(error) });
  }
});
