#!/usr/bin/env node
import { once } from 'node:events';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

// Halves the time that a short command takes. Where the directory cannot be written, nothing is cached.
enableCompileCache(join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'sallyport'));
const { runCli } = await import('./run-cli.ts');

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  readStdin: () => text(process.stdin),
  out: (part) => process.stdout.write(part) || once(process.stdout, 'drain'),
  err: (part) => void process.stderr.write(part),
});
