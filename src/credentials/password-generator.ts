import { randomInt } from 'node:crypto';
import { randomText } from '../shared/ids.ts';
import { type CharacterClass, characterClasses, lengthOf, missingOf, type PasswordSettings } from './password-rules.ts';

const group = 5;
const fewestGroups = 4;

const alphabets: Readonly<Record<CharacterClass, string>> = {
  upper: 'ABCDEFGHJKMNPQRSTVWXYZ',
  lower: 'abcdefghjkmnpqrstvwxyz',
  digit: '0123456789',
  symbol: '-+=*',
};

const pick = (alphabet: string): string => alphabet[randomInt(alphabet.length)] ?? '';

/**
 * A password that can be read out and copied by hand: `xxxxx-xxxxx-xxxxx-xxxxx` with 100 random bits and nothing in it
 * that reads like another character; longer, or with a tail, where the settings ask for more.
 */
export function generatePassword(settings: PasswordSettings): string {
  const groups = Math.max(fewestGroups, Math.ceil((settings.minLength + 1) / (group + 1)));
  const text = Array.from({ length: groups }, () => randomText(group)).join('-');
  const tail = characterClasses.flatMap((kind) =>
    Array.from({ length: missingOf(kind, text, settings) }, () => pick(alphabets[kind])),
  );
  const whole = tail.length > 0 ? `${text}-${tail.join('')}` : text;
  return lengthOf(whole) >= settings.minLength ? whole : `${whole}-${randomText(group)}`;
}
