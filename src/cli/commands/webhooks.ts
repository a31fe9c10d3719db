import { z } from 'zod';
import { AppError } from '../../shared/errors.ts';
import type { Delivery, Endpoint } from '../../webhooks/index.ts';
import { defineCommand } from '../command.ts';
import { operator } from '../domains.ts';
import { dated, facts, moment, table } from '../render.ts';

const id = z.string().min(1).max(64).describe('Id of the webhook, wh_ and 16 characters.');

/** An endpoint as it is printed: moments as text. */
const printed = ({ failingSince, disabledAt, ...endpoint }: Endpoint) => ({
  ...dated(endpoint),
  ...(failingSince !== undefined && { failingSince: moment(failingSince) }),
  ...(disabledAt !== undefined && { disabledAt: moment(disabledAt) }),
});

const stateOf = ({ disabledAt, failingSince }: ReturnType<typeof printed>): string => {
  if (disabledAt !== undefined) return `disabled ${disabledAt}`;
  return failingSince === undefined ? 'open' : `failing since ${failingSince}`;
};

const add = defineCommand({
  name: 'webhooks add',
  summary: 'Have events posted to an address. The secret that signs them is shown this once.',
  makesDatabase: true,
  schema: z.object({
    url: z.string().min(1).max(2000).describe('https address; http on this machine will do in development.'),
    event: z
      .array(z.string().max(100))
      .default([])
      .describe('Type such as account.created, group such as account.*, or *; once for each.'),
    description: z.string().max(200).optional().describe('What it is for.'),
    personalData: z
      .boolean()
      .optional()
      .describe('Events carry IP addresses, browsers and chosen names too, not only ids.'),
  }),
  positional: 'url',
  fields: { events: 'event' },
  example: 'sallyport webhooks add https://hooks.example.com/sallyport --event "account.*" --event session.ended',
  async run({ event, ...input }, { webhooks }) {
    const { endpoint, secret } = await webhooks.add({ ...input, events: event }, operator);
    return { ...printed(endpoint), secret };
  },
  render: (made) =>
    facts([
      ['id', made.id],
      ['url', made.url],
      ['events', made.events.join(' ')],
      ['personal data', made.personalData],
      ['secret', made.secret],
    ]),
});

const list = defineCommand({
  name: 'webhooks list',
  summary: 'List the webhooks.',
  schema: z.object({}),
  run: async (_, { webhooks }) => (await webhooks.list()).map(printed),
  render: (all) =>
    table(
      ['id', 'url', 'events', 'state'],
      all.map((one) => [one.id, one.url, one.events.join(' '), stateOf(one)]),
      'There is no webhook.',
    ),
});

const remove = defineCommand({
  name: 'webhooks remove',
  summary: 'Remove a webhook. What waits for it is dropped.',
  schema: z.object({ id }),
  positional: 'id',
  async run(input, { webhooks }) {
    await webhooks.remove(input.id, operator);
    return { id: input.id };
  },
  render: (removed) => `${removed.id} is removed.`,
});

const enable = defineCommand({
  name: 'webhooks enable',
  summary: 'Open a webhook that was disabled after failures. Events of the time between are not sent.',
  schema: z.object({ id }),
  positional: 'id',
  async run(input, { webhooks }) {
    await webhooks.enable(input.id, operator);
    return { id: input.id };
  },
  render: (opened) => `${opened.id} gets events again.`,
});

const rotate = defineCommand({
  name: 'webhooks rotate-secret',
  summary: 'Make a new secret for a webhook. The old one signs beside it for a while.',
  schema: z.object({
    id,
    overlapHours: z.coerce.number().min(0).max(720).default(24).describe('How long both sign. Default: 24.'),
  }),
  positional: 'id',
  async run(input, { webhooks }) {
    const { secret, until } = await webhooks.rotateSecret(input.id, input.overlapHours * 3600, operator);
    return { id: input.id, secret, oldSecretUntil: moment(until) };
  },
  render: (made) =>
    facts([
      ['id', made.id],
      ['secret', made.secret],
      ['old secret until', made.oldSecretUntil],
    ]),
});

const test = defineCommand({
  name: 'webhooks test',
  summary: 'Post a webhook.test event now and show the answer.',
  schema: z.object({ id }),
  positional: 'id',
  async run(input, { webhooks }) {
    const { status, error } = await webhooks.test(input.id);
    if (error !== undefined) throw new AppError('unavailable', `The webhook could not be reached: ${error}`);
    if (status === undefined || status < 200 || status > 299) {
      throw new AppError('unavailable', `The webhook answered ${status}; it has to answer 2xx.`);
    }
    return { id: input.id, status };
  },
  render: (tested) => `${tested.id} answered ${tested.status}.`,
});

const printedDelivery = ({ body, createdAt, nextAt, expiresAt, settledAt, ...delivery }: Delivery) => ({
  ...delivery,
  createdAt: moment(createdAt),
  ...(delivery.status === 'pending' && { nextAt: moment(nextAt) }),
  ...(settledAt !== undefined && { settledAt: moment(settledAt) }),
});

const deliveries = defineCommand({
  name: 'webhooks deliveries',
  summary: 'List what was sent to a webhook in the last days, newest first.',
  schema: z.object({
    id,
    status: z.enum(['pending', 'delivered', 'dead']).optional().describe('Only these.'),
    limit: z.coerce.number().int().min(1).max(1000).default(50).describe('How many, 1000 at most. Default: 50.'),
  }),
  positional: 'id',
  async run({ id: endpoint, status, limit }, { webhooks }) {
    const found = await webhooks.deliveries(endpoint, { limit, ...(status !== undefined && { status }) });
    return found.map(printedDelivery);
  },
  render: (all) =>
    table(
      ['at', 'event', 'type', 'status', 'tries', 'answer'],
      all.map((one) => [
        one.createdAt,
        one.eventId,
        one.type,
        one.status,
        String(one.attempts),
        one.error ?? (one.httpStatus === undefined ? '' : String(one.httpStatus)),
      ]),
      'Nothing was sent there.',
    ),
});

export const webhookCommands = [add, list, remove, enable, rotate, test, deliveries];
