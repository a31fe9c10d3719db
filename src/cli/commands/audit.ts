import { z } from 'zod';
import type { AuditFilter, AuditPlace, AuditReader, AuditRow } from '../../audit/index.ts';
import { AppError } from '../../shared/errors.ts';
import { filterOf, filterOptions, headText } from '../audit-options.ts';
import { defineCommand } from '../command.ts';
import { facts, moment, table } from '../render.ts';

/** A text in the details is looked for in parts; after so many the rest waits for the next call. */
const mostParts = 20;

async function search(
  reader: AuditReader,
  filter: AuditFilter,
  limit: number,
  before?: AuditPlace,
): Promise<AuditRow[]> {
  const found: AuditRow[] = [];
  let after = before;
  for (let part = 0; part < mostParts; part += 1) {
    const page = await reader.search(filter, { after, limit: limit - found.length });
    found.push(...page.rows);
    after = page.next;
    if (!after || found.length >= limit) break;
  }
  return found;
}

const list = defineCommand({
  name: 'audit list',
  summary: 'List what happened, newest first.',
  schema: z.object({
    ...filterOptions,
    before: z
      .string()
      .max(100)
      .regex(/^evt_\w+$/, 'Give the id of an event, evt_ and more.')
      .optional()
      .describe('Only what is older than the event with this id.'),
    limit: z.coerce.number().int().min(1).max(1000).default(50).describe('How many, 1000 at most. Default: 50.'),
  }),
  example: 'sallyport audit list --type sign_in.failed --ip 192.0.2.7 --from 2026-03-01',
  async run({ limit, before, ...options }, { auditReader }) {
    const place = before === undefined ? undefined : await auditReader.find(before);
    if (before !== undefined && !place) throw new AppError('not_found', `There is no event ${before}.`);
    const rows = await search(auditReader, filterOf(options), limit, place);
    return rows.map(({ at, ...event }) => ({ ...event, at: moment(at) }));
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

const head = defineCommand({
  name: 'audit head',
  summary:
    'Print the number and hash of the last sealed event, to be kept elsewhere and given to `audit verify --expect`.',
  schema: z.object({}),
  async run(_, { auditChain }) {
    const { head: last, start, sealedAt, waiting } = await auditChain.status();
    return {
      head: headText(last),
      ...last,
      ...(sealedAt !== undefined && { sealedAt: moment(sealedAt) }),
      waiting,
      removedUpTo: start.number,
    };
  },
  render: ({ head: text, sealedAt, waiting, removedUpTo }) =>
    facts([
      ['head', text],
      ['sealed', sealedAt],
      ['waiting', waiting],
      ['removed up to', removedUpTo === 0 ? undefined : removedUpTo],
    ]),
});

export const auditCommands = [list, head];
