import { z } from 'zod';
import { exportLine } from '../../audit/index.ts';
import { filterSchema, headSchema } from '../audit-options.ts';
import { defineCommand } from '../command.ts';
import { operator } from '../domains.ts';

const render = (): string => '';
const count = z.number().int().min(0);

const check = z.strictObject({
  phase: z.enum(['links', 'events', 'done']),
  last: headSchema,
  eventId: z.string().max(100),
  checked: count,
  erased: count,
  backdated: count,
  latest: z.number(),
});

/** A part of `audit verify`: a chain of millions is not checked in the time that one answer has. */
const verifyStep = defineCommand({
  name: 'audit verify step',
  summary: 'A step of `audit verify`.',
  schema: z.object({
    from: z.number().int().min(1).optional(),
    expected: headSchema.optional(),
    check: check.optional(),
  }),
  run: ({ check: given, ...question }, { auditChain }) => auditChain.check(question, given),
  render,
});

const statusStep = defineCommand({
  name: 'audit verify status',
  summary: 'A step of `audit verify`.',
  schema: z.object({}),
  run: (_, { auditChain }) => auditChain.status(),
  render,
});

const exportBegin = defineCommand({
  name: 'audit export begin',
  summary: 'A step of `audit export`.',
  schema: z.object({ format: z.enum(['jsonl', 'csv']), filter: filterSchema }),
  async run({ format, filter }, { audit }) {
    // The names only: a value may be about a person, and nobody would erase it from this row.
    const details = { format, filter: Object.keys(filter).sort() };
    await audit.record({ type: 'audit.exported', actor: operator, outcome: 'success', details });
    return {};
  },
  render,
});

const pageSize = 500;

const exportPage = defineCommand({
  name: 'audit export page',
  summary: 'A step of `audit export`.',
  schema: z.object({
    format: z.enum(['jsonl', 'csv']),
    filter: filterSchema,
    after: z.strictObject({ at: z.number(), id: z.string().max(100) }).optional(),
  }),
  async run({ format, filter, after }, { auditReader }) {
    const { rows, next } = await auditReader.search(filter, { after, limit: pageSize, oldestFirst: true });
    return { text: rows.map((row) => exportLine(row, format)).join(''), rows: rows.length, next };
  },
  render,
});

/** What a server does for `audit verify` and `audit export`, part by part. */
export const auditSteps = [verifyStep, statusStep, exportBegin, exportPage];
