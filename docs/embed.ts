// Puts the files of examples/ into the README's code blocks: `node docs/embed.ts`. A test compares them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The README with every block whose first line names a file, as in "```js examples/api.mjs", filled from that file. */
export const embedExamples = (readme: string): string =>
  readme.replace(/^```(\w+) (examples\/\S+)\n[\s\S]*?^```$/gm, (_, language: string, file: string) => {
    const content = readFileSync(join(root, file), 'utf8').trimEnd();
    return `\`\`\`${language} ${file}\n${content}\n\`\`\``;
  });

if (process.argv[1] === import.meta.filename) {
  const file = join(root, 'README.md');
  writeFileSync(file, embedExamples(readFileSync(file, 'utf8')));
}
