import { z } from 'zod';
import type { FileRow } from '../../user-import/index.ts';
import { defineCommand } from '../command.ts';
import { operator } from '../domains.ts';

const settings = z.strictObject({
  map: z.record(z.string(), z.string().max(200)),
  set: z.record(z.string(), z.string().max(4096)),
  mustChange: z.boolean(),
  allowAdmin: z.boolean(),
});

const place = { seq: z.number().int().min(1), line: z.number().int().min(1) };
const rows = z
  .array(
    z.union([
      z.strictObject({ ...place, record: z.record(z.string(), z.unknown()) }),
      z.strictObject({ ...place, problem: z.string() }),
    ]),
  )
  .min(1)
  .max(200)
  .transform((given) => given as FileRow[]);

const id = z.string().max(100);
const after = z.number().int().min(0);
const summary = 'A step of `users import`, which has the file.';
const render = (): string => '';

const begin = defineCommand({
  name: 'users import begin',
  summary,
  schema: z.object({ file: z.strictObject({ name: z.string(), digest: z.string() }), settings, resume: z.boolean() }),
  run: ({ file, settings, resume }, { userImport }) => userImport.begin(file, settings, { resume }),
  render,
});

const add = defineCommand({
  name: 'users import add',
  summary,
  schema: z.object({ id, rows }),
  run: async ({ id, rows }, { userImport }) => {
    const { problems, created } = await userImport.addRows(id, rows, operator);
    return { problems: problems.length, created: created.length };
  },
  render,
});

const check = defineCommand({
  name: 'users import check',
  summary,
  schema: z.object({ settings, rows }),
  run: ({ settings, rows }, { userImport }) => userImport.checkRows(settings, rows),
  render,
});

const finish = defineCommand({
  name: 'users import finish',
  summary,
  schema: z.object({ id }),
  run: ({ id }, { userImport }) => userImport.finish(id, operator),
  render,
});

const problems = defineCommand({
  name: 'users import problems',
  summary,
  schema: z.object({ id, after }),
  run: ({ id, after }, { userImport }) => userImport.problems(id, after),
  render,
});

const created = defineCommand({
  name: 'users import created',
  summary,
  schema: z.object({ id, after }),
  run: ({ id, after }, { userImport }) => userImport.created(id, after),
  render,
});

/** What a server does for `users import`, part by part, so that the file is nowhere whole in memory. */
export const importSteps = [begin, add, check, finish, problems, created];
