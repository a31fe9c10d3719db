import { z } from 'zod';
import { defineLocalCommand } from '../local-command.ts';

const pairs = (what: string) => z.array(z.string().regex(/^\w+=./s, `Give field=${what}.`)).default([]);

/** Imports users from a file that this process reads, through the running server where there is one. */
export const importUsers = defineLocalCommand({
  name: 'users import',
  summary: 'Make accounts of the users in a file, with the password hashes that they have. Nobody gets a mail.',
  schema: z.object({
    file: z.string().min(1).describe('File to read.'),
    format: z
      .enum(['json', 'jsonl', 'csv'])
      .optional()
      .describe('json, jsonl or csv. Default: as the name of the file ends.'),
    dryRun: z.boolean().default(false).describe('Say what would be done, and write nothing.'),
    resume: z
      .boolean()
      .default(false)
      .describe('Go on after the last row that is done, with the same file and options.'),
    map: pairs('column').describe('Which column holds a field: field=column.'),
    set: pairs('value').describe('What a field is in every row that does not say: field=value.'),
    mustChange: z.boolean().default(false).describe('Have everybody choose another password at the first sign-in.'),
    allowAdmin: z.boolean().default(false).describe('Let rows give the role admin.'),
    accountsTo: z.string().min(1).optional().describe('File for the new ids beside those of the old system, as CSV.'),
  }),
  positional: 'file',
  example: 'sallyport users import users.csv --map source_id=user_id --map password_hash=pwd --dry-run',
  async run(input, surroundings) {
    // Loaded when it is used: it has a good part of the server in it.
    const { importUsersHere } = await import('../import-users.ts');
    return importUsersHere(input, surroundings);
  },
});
