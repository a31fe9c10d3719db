import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// A start is mostly the compiling of modules; what was compiled is kept beside the packages, where only we write.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'sallyport'));

if (!process.env.DATABASE_URL) {
  // The embedded database takes longest of all; its program is compiled by other threads while this one loads modules.
  const { pgliteProgram } = await import('./storage/pglite-program.ts');
  pgliteProgram();
}

const { run } = await import('./app/serve.ts');
process.exitCode = await run(process.env);
