import { z } from 'zod';
import type { SealedPlace } from '../../app/sealed-data.ts';
import { defineCommand } from '../command.ts';
import { table } from '../render.ts';

const status = defineCommand({
  name: 'secrets status',
  summary: 'Count what the newest of SALLYPORT_SECRETS sealed, and what still needs an older one.',
  schema: z.object({}),
  run: (_, { sealedData }) => sealedData.status(),
  render: (places: readonly SealedPlace[]) =>
    table(
      ['what', 'newest', 'older', 'not configured', ''],
      places.map(({ name, lasting, newest, older, unknown }) => [
        name,
        String(newest),
        String(older),
        String(unknown),
        lasting ? '' : 'expire by themselves',
      ]),
      'Nothing is sealed.',
    ),
});

const reseal = defineCommand({
  name: 'secrets reseal',
  summary: 'Seal signing keys, authenticator apps and webhooks with the newest secret, once every node has it.',
  schema: z.object({}),
  run: (_, { sealedData }) => sealedData.reseal(),
  render: ({ resealed, left }) =>
    left === 0
      ? `${resealed} sealed anew. Nothing lasting needs an older secret any more.`
      : `${resealed} sealed anew. ${left} need a secret that is not in SALLYPORT_SECRETS.`,
});

export const secretCommands = [status, reseal];
