import { z } from 'zod';
import type { KeyView } from '../../keys/index.ts';
import { defineCommand } from '../command.ts';
import { operator } from '../domains.ts';
import { moment, table } from '../render.ts';

/** A key with its moments as text. */
const toResult = ({ since, nextStep, ...key }: KeyView) => ({
  ...key,
  since: Object.fromEntries(Object.entries(since).map(([state, at]) => [state, moment(at)])),
  ...(nextStep && { nextStep: { state: nextStep.state, at: moment(nextStep.at) } }),
});

const keyTable = (keys: readonly ReturnType<typeof toResult>[]): string =>
  table(
    ['kid', 'alg', 'state', 'since', 'next'],
    keys.map(({ kid, alg, state, since, nextStep }) => [
      kid,
      alg,
      state,
      since[state] ?? '',
      nextStep ? `${nextStep.state} ${nextStep.at}` : '',
    ]),
    'There are no keys yet. The server makes them when it starts.',
  );

const list = defineCommand({
  name: 'keys list',
  summary: 'List the signing keys, their states and what happens next by itself.',
  schema: z.object({ removed: z.boolean().default(false).describe('Include keys that were removed.') }),
  run: async ({ removed }, { keys }) => (await keys.list({ removed })).map(toResult),
  render: keyTable,
});

const rotate = defineCommand({
  name: 'keys rotate',
  summary: 'Begin a staged rotation: the new key is published now and signs once every cache has it.',
  schema: z.object({
    alg: z.enum(['ES256', 'RS256', 'EdDSA']).optional().describe('ES256, RS256 or EdDSA. Default: all of them.'),
  }),
  async run({ alg }, { keys }) {
    await keys.prepare();
    return (await keys.rotate(alg, operator)).map(toResult);
  },
  render: keyTable,
});

const revoke = defineCommand({
  name: 'keys revoke',
  summary: 'Remove a key at once, for when it may be known to others.',
  schema: z.object({
    kid: z.string().min(1).max(100).describe('Key id.'),
    emergency: z.boolean().default(false).describe('Also a key that has signed. Whatever it signed stops verifying.'),
  }),
  positional: 'kid',
  async run({ kid, emergency }, { keys }) {
    await keys.prepare();
    await keys.revoke(kid, operator, { emergency });
    return (await keys.list()).map(toResult);
  },
  render: keyTable,
});

export const keyCommands = [list, rotate, revoke];
