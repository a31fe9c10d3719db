import { isIP } from 'node:net';
import { z } from 'zod';
import { type AuditFilter, auditGroups, auditTypes, type ChainHead, isTypeAsked } from '../audit/index.ts';

const word = (text: string) => z.string().min(1).max(512).optional().describe(text);

/**
 * What ids of accounts, clients, webhooks and rules look like, identifiers of APIs, ids of signing keys and hashes of
 * tokens, and the few that are plain words. Those that were removed are looked for too, so the form has to do.
 */
const idForm = /^(?:[a-z]+_\w+|[a-z][a-z\d+.-]*:\S+|[\w-]{43}|(?:demo|sallyport)-[\w-]+|playground|everything)$/;
const namelessActor = /^(?:operator|system|stranger)$/;

const formed = (text: string, isFormed: (given: string) => boolean, complaint: string) =>
  z.string().min(1).max(512).refine(isFormed, complaint).optional().describe(text);

const isoMoment = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** Reads a day or a moment; without a zone it is UTC. */
function readMoment(text: string): number {
  const zoned = text.length <= 10 || /(?:Z|[+-]\d\d:\d\d)$/.test(text);
  return Date.parse(`${text.replace(' ', 'T')}${zoned ? '' : 'Z'}`);
}

const at = (text: string) =>
  z
    .string()
    .regex(isoMoment, 'Give a day or a moment, for example 2026-03-01 or 2026-03-01T09:30Z.')
    .refine((given) => !Number.isNaN(readMoment(given)), 'There is no such moment.')
    .transform(readMoment)
    .optional()
    .describe(text);

/** What a search in the audit log takes, as it is typed. */
export const filterOptions = {
  actor: formed(
    'Only what this account or client did, by id; or operator, system, stranger.',
    (given) => idForm.test(given) || namelessActor.test(given),
    'Give an id, operator, system or stranger. `sallyport users show` has the id of a person.',
  ),
  subject: formed(
    'Only about this account, client, API or key id.',
    (given) => idForm.test(given),
    'This is no id. `sallyport users show` has the id of a person.',
  ),
  type: formed(
    'Only events of this type, for example sign_in.failed, or of a group: sign_in.',
    isTypeAsked,
    `There are no such events. Their groups: ${auditGroups(auditTypes).join(', ')}.`,
  ),
  outcome: z.enum(['success', 'failure']).optional().describe('Only success or failure.'),
  client: word('Only in which this client was involved.'),
  ip: formed('Only from this address.', (given) => isIP(given) > 0, 'This is no IP address.'),
  request: word('Only of this request; its id is on error pages and in the log.'),
  session: word('Only done in this session, or about it.'),
  from: at('From this day or moment on, UTC.'),
  to: at('Before this day or moment, UTC.'),
  text: word('Only with this text in the details.'),
};

const schema = z.object(filterOptions);

/** The same for the log. */
export const filterOf = ({ client, request, session, ...rest }: z.output<typeof schema>): AuditFilter => ({
  ...rest,
  clientId: client,
  requestId: request,
  sessionId: session,
});

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** The filter as a step gets it, in which moments are numbers. */
export const filterSchema = z.strictObject({
  actor: z.string().optional(),
  subject: z.string().optional(),
  type: z.string().optional(),
  outcome: z.enum(['success', 'failure']).optional(),
  clientId: z.string().optional(),
  ip: z.string().optional(),
  requestId: z.string().optional(),
  sessionId: z.string().optional(),
  from: z.number().optional(),
  to: z.number().optional(),
  text: z.string().optional(),
});

/** A head as steps pass it. */
export const headSchema = z.strictObject({ number: z.number().int().min(0), hash });

/** A head as it is typed and printed: `number:hash`. */
export const headOption = z
  .string()
  .regex(/^\d{1,15}:[0-9a-f]{64}$/, 'Give number:hash, as `sallyport audit head` prints it.')
  .transform((text): ChainHead => {
    const [number = '', digits = ''] = text.split(':');
    return { number: Number(number), hash: digits };
  });

export const headText = ({ number, hash: digits }: ChainHead): string => `${number}:${digits}`;
