import { open } from 'node:fs/promises';
import { z } from 'zod';
import { type AuditPlace, exportHead } from '../../audit/index.ts';
import { readConfig } from '../../config/load.ts';
import { filterOf, filterOptions } from '../audit-options.ts';
import { openTarget } from '../import-target.ts';
import { defineLocalCommand } from '../local-command.ts';
import { UsageError } from '../parse-arguments.ts';
import { auditSteps } from './audit-steps.ts';

interface ExportPage {
  readonly text: string;
  readonly rows: number;
  readonly next?: AuditPlace;
}

/** Where the text goes, and how it ends. */
async function openOutput(path: string | undefined, out: (text: string) => unknown) {
  if (path === undefined) return { write: out, begin: async () => undefined, close: async () => undefined };
  const file = await open(path, 'a', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`--out: ${path} cannot be written (${error.code}).`, { cause: error });
  });
  return {
    write: (text: string) => file.write(text),
    // What is there stays until there is something to put in its place. Pipes have nothing to empty.
    begin: () => file.truncate(0).catch(() => undefined),
    close: () => file.close(),
  };
}

/** Writes events as they come, a page at a time, with the running server where there is one. */
export const auditExport = defineLocalCommand({
  name: 'audit export',
  summary: 'Write events of the audit log, oldest first, as JSON lines or CSV.',
  schema: z.object({
    ...filterOptions,
    format: z.enum(['jsonl', 'csv']).default('jsonl').describe('jsonl or csv. Default: jsonl.'),
    out: z.string().min(1).optional().describe('File to write. Default: standard output.'),
  }),
  example: 'sallyport audit export --format csv --from 2026-03-01 --to 2026-04-01 --out march.csv',
  async run({ format, out: path, ...options }, { env, onProgress, out }) {
    const filter = filterOf(options);
    await using target = await openTarget(readConfig(env), auditSteps, { onProgress });
    const output = await openOutput(path, out);
    let rows = 0;
    try {
      await target.call('audit export begin', { format, filter });
      await output.begin();
      await output.write(exportHead(format));
      for (let after: AuditPlace | undefined; ; ) {
        const page = (await target.call('audit export page', {
          format,
          filter,
          ...(after && { after }),
        })) as ExportPage;
        if (page.text !== '') await output.write(page.text);
        rows += page.rows;
        after = page.next;
        if (!after) break;
      }
    } finally {
      await output.close();
    }
    if (path === undefined) return { result: undefined, text: '', exitCode: 0 };
    return {
      result: { file: path, rows },
      text: `${path} has ${rows} ${rows === 1 ? 'event' : 'events'}.`,
      exitCode: 0,
    };
  },
});
