import { randomText } from '../shared/ids.ts';

const length = 16;
const group = 4;

/** How many codes a set has. */
export const backupCodeCount = 10;

/** A new code: 80 random bits as `xxxx-xxxx-xxxx-xxxx`, without letters that read like digits. */
export const newBackupCode = (): string =>
  randomText(length)
    .replaceAll(new RegExp(`.{${group}}`, 'g'), '-$&')
    .slice(1);

const lookAlikes: Readonly<Record<string, string>> = { o: '0', i: '1', l: '1' };

/** The code of an input in any case, with any spaces and dashes, and o, i, l for 0, 1, 1. Undefined when it cannot be one. */
export function readBackupCode(input: string): string | undefined {
  if (input.length > 100) return undefined;
  const code = input
    .toLowerCase()
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .replaceAll(/[oil]/g, (letter) => lookAlikes[letter] ?? letter);
  return /^[0-9a-hjkmnp-tv-z]{16}$/.test(code) ? code : undefined;
}
