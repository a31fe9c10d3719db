// Puts the files of examples/ into the code blocks of the README and of the pages here: `node docs/embed.ts`.
// A test compares them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The pages for people, as paths from the root of the project. */
export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** A page with every block whose first line names a file, as in "```js examples/api.mjs", filled from that file. */
export const embedExamples = (page: string): string =>
  page.replace(/^```(\w+) (examples\/\S+)\n[\s\S]*?^```$/gm, (_, language: string, file: string) => {
    const content = readFileSync(join(root, file), 'utf8').trimEnd();
    return `\`\`\`${language} ${file}\n${content}\n\`\`\``;
  });

if (process.argv[1] === import.meta.filename) {
  for (const page of pages) {
    const file = join(root, page);
    const before = readFileSync(file, 'utf8');
    const after = embedExamples(before);
    if (after !== before) writeFileSync(file, after);
  }
}
