// `npm run check`: types, lint, boundaries and generated files, side by side. What one of them has to say is shown whole.
import { spawn } from 'node:child_process';

const checks = ['types', 'lint', 'boundaries', 'generated'];

const run = (name: string): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'pipe', 'pipe'] });
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
    child.once('error', (error) => said.push(Buffer.from(`${error.message}\n`)));
    child.once('close', (code) => {
      const text = Buffer.concat(said).toString().trim();
      if (text !== '') process.stdout.write(`${text}\n`);
      if (code !== 0) process.stdout.write(`npm run ${name} failed.\n`);
      resolve(code === 0);
    });
  });

const results = await Promise.all(checks.map(run));
process.exitCode = results.every(Boolean) ? 0 : 1;
