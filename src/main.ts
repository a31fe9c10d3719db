import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// A start is mostly the compiling of modules; what was compiled is kept beside the packages, where only we write.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'sallyport'));

const { run } = await import('./app/serve.ts');
process.exitCode = await run(process.env);
