import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { moment, table } from '../render.ts';

const list = defineCommand({
  name: 'audit list',
  summary: 'List what happened, newest first.',
  schema: z.object({
    subject: z.string().max(512).optional().describe('Only about this account, client, API or key id.'),
    type: z.string().max(100).optional().describe('Only events of this type, for example sign_in.failed.'),
    limit: z.coerce.number().int().min(1).max(1000).default(50).describe('How many, 1000 at most. Default: 50.'),
  }),
  async run({ subject, type, limit }, { audit }) {
    const filter = { limit, ...(subject !== undefined && { subject }), ...(type !== undefined && { type }) };
    return (await audit.list(filter)).map(({ at, ...event }) => ({ ...event, at: moment(at) }));
  },
  render: (events) =>
    table(
      ['at', 'type', 'outcome', 'actor', 'subject', 'ip'],
      events.map((event) => [
        event.at,
        event.type,
        event.outcome,
        'id' in event.actor ? event.actor.id : event.actor.kind,
        event.subject ?? '',
        event.ip ?? '',
      ]),
      'Nothing of this kind happened.',
    ),
});

export const auditCommands = [list];
