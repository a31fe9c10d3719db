import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The types of this project know no browser, where WebAssembly is declared. */
declare const WebAssembly: { compile(code: Uint8Array): Promise<object> };

/** PGlite's program, compiled; an option of `PGlite.create`. */
export interface PgliteProgram {
  readonly pgliteWasmModule: object;
}

let program: Promise<PgliteProgram> | undefined;

async function compile(): Promise<PgliteProgram> {
  const dir = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'));
  // Read at once, and compiled by other threads, which are done when the modules of the server have been loaded.
  return { pgliteWasmModule: await WebAssembly.compile(readFileSync(join(dir, 'pglite.wasm'))) };
}

/** Compiles PGlite's program, once per process. Called early, it costs the thread that loads modules next to nothing. */
export function pgliteProgram(): Promise<PgliteProgram> {
  if (!program) {
    program = compile();
    // Whoever opens a database is told; nobody else has to care.
    program.catch(() => undefined);
  }
  return program;
}
