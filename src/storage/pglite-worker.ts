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

/** What PGlite's program throws when a statement fails; PGlite deals with that itself. */
const statementFailed = 100;

interface Program {
  _PostgresMainLoopOnce(): void;
  stackRestore(at: number): void;
}

/**
 * Lets the program stop where it broke down. PGlite would go on with the rest of what it was sent: a server that has
 * panicked never answers, and one whose memory is in disorder says that all went well.
 */
function stopAtBreakdown({ Module }: PGlite): void {
  const program: Program = Module as never;
  const { _PostgresMainLoopOnce: once, stackRestore } = program;
  let broken: unknown;
  program._PostgresMainLoopOnce = () => {
    try {
      once();
    } catch (error) {
      if ((error as { status?: number } | undefined)?.status !== statementFailed)
        broken = error ?? new Error('stopped');
      throw error;
    }
  };
  // What PGlite does next with whatever was thrown.
  program.stackRestore = (at) => {
    if (broken !== undefined) throw broken;
    stackRestore(at);
  };
}

let opening: Promise<PGlite> | undefined;
let pglite: PGlite | undefined;
/** Who has a transaction open. */
let busyFor: number | undefined;
let dead = false;

/** Collects the answer as it comes, also of a server that breaks down on the way. */
async function ask(bytes: Uint8Array): Promise<{ said: Uint8Array<ArrayBuffer>; whole: boolean }> {
  const parts: Uint8Array[] = [];
  // Each part is a view of the program's memory.
  const onRawData = (part: Uint8Array): void => void parts.push(part.slice());
  const whole = await pglite?.execProtocolRawStream(bytes, { syncToFs: false, onRawData }).then(
    () => true,
    () => false,
  );
  return { said: new Uint8Array(Buffer.concat(parts)), whole: whole === true };
}

async function execute(client: number, bytes: Uint8Array): Promise<{ answer: Uint8Array<ArrayBuffer>; dead: boolean }> {
  if (dead) return { answer: new Uint8Array(), dead };
  const { said, whole } = await ask(bytes);
  const state = stateAfter(said);
  if (state.idle !== undefined) busyFor = state.idle ? undefined : client;
  // One that does not say that it is ready will never be. Its files are as they are after a crash.
  dead = !whole || state.dead || state.idle === undefined;
  // Of one that broke down nothing can be believed but that it panicked.
  return { answer: whole || state.dead ? said : new Uint8Array(), dead };
}

port.on('message', async (message: ToServer) => {
  if (message === 'close') {
    await (await opening?.catch(() => undefined))?.close();
    return port.close();
  }
  if ('bytes' in message) {
    const done = await execute(message.client, message.bytes);
    return say(done, done.answer.buffer);
  }
  if ('left' in message) {
    // The next client must not find itself in the transaction of one that went away.
    if (busyFor === message.left) await execute(message.left, simpleQuery('rollback'));
    return;
  }
  try {
    opening = open(message.open);
    pglite = await opening;
    stopAtBreakdown(pglite);
    say({ opened: known ? undefined : await program });
  } catch (error) {
    say({ refused: error instanceof Error ? error.message : String(error) });
  }
});
