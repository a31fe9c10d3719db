// The body of the thread that measures passwords. It is started by password-strength.ts and holds the dictionaries.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { type Score, ZxcvbnFactory } from '@zxcvbn-ts/core';
import * as common from '@zxcvbn-ts/language-common';
import * as english from '@zxcvbn-ts/language-en';
import { isListed } from './password-blocklist.ts';
import type { StrengthAnswer, StrengthTask } from './password-strength.ts';

// The rest of a longer password can only add to the guesses.
const measured = 64;
// The work grows with each look-alike that is tried for a letter: 100, the default, is half a second for 40 characters.
const lookAlikes = 8;

const zxcvbn = new ZxcvbnFactory({
  dictionary: { ...common.dictionary, ...english.dictionary },
  graphs: common.adjacencyGraphs,
  maxLength: measured,
  l33tMaxSubstitutions: lookAlikes,
});
const list: ReadonlySet<string> = new Set(common.dictionary['passwords-common'].map(String));

function answer({ text, words }: StrengthTask): StrengthAnswer {
  const score: Score = zxcvbn.check(text, [...words]).score;
  return { score, common: isListed(text, list) };
}

if (parentPort) {
  const port = parentPort;
  try {
    // On Linux this is the priority of the thread alone; elsewhere it would slow the whole process.
    if (process.platform === 'linux') setPriority(0, 5);
  } catch {
    // Not permitted here; it then competes as an equal.
  }
  port.on('message', (task: StrengthTask) => port.postMessage(answer(task)));
}
