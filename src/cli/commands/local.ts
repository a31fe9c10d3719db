import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readConfig } from '../../config/load.ts';
import { defineLocalCommand } from '../local-command.ts';

/** The version of this release, from package.json. */
export function releaseVersion(): string {
  const file = join(import.meta.dirname, '..', '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

const serve = defineLocalCommand({
  name: 'serve',
  summary: 'Run the server until it is told to stop.',
  schema: z.object({}),
  async run(_, { env }) {
    const { serve: runServer } = await import('../../app/serve.ts');
    await runServer(env);
    return { result: {}, text: '', exitCode: 0 };
  },
});

const migrateCommand = defineLocalCommand({
  name: 'migrate',
  summary: "Bring the database to this release's schema.",
  schema: z.object({}),
  async run(_, { env, onProgress }) {
    const { migrateHere } = await import('../migrate-here.ts');
    const applied = await migrateHere(readConfig(env), onProgress);
    const text = applied.length === 0 ? 'The schema is up to date.' : `Applied:\n  ${applied.join('\n  ')}`;
    return { result: { applied }, text, exitCode: 0 };
  },
});

const marks = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

const doctor = defineLocalCommand({
  name: 'doctor',
  summary: 'Look whether configuration, database, Redis, keys, clock and issuer are as they should be.',
  schema: z.object({}),
  async run(_, { env }) {
    const { runDoctor } = await import('../doctor.ts');
    const checks = await runDoctor(env);
    const lines = checks.map(
      ({ status, name, detail, fix }) =>
        `${marks[status]}  ${name}: ${detail}${fix === undefined ? '' : `\n      → ${fix}`}`,
    );
    return { result: checks, text: lines.join('\n'), exitCode: checks.some(({ status }) => status === 'fail') ? 1 : 0 };
  },
});

const secret = defineLocalCommand({
  name: 'secret',
  summary: 'Print a new secret for SALLYPORT_SECRETS.',
  schema: z.object({}),
  async run() {
    const text = randomBytes(48).toString('base64url');
    return { result: { secret: text }, text, exitCode: 0 };
  },
});

const version = defineLocalCommand({
  name: 'version',
  summary: 'Print the version of this release and of Node.',
  schema: z.object({}),
  async run() {
    const result = { version: releaseVersion(), node: process.versions.node };
    return { result, text: `sallyport ${result.version} (Node ${result.node})`, exitCode: 0 };
  },
});

export const localCommands = [serve, migrateCommand, doctor, secret, version];
