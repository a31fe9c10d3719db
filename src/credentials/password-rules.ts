import { maxPasswordLength } from './password.ts';
import type { Score } from './password-strength.ts';

/** Kinds of characters that an auditor may want counted. */
export type CharacterClass = 'upper' | 'lower' | 'digit' | 'symbol';

/** What an installation asks of passwords. An organization may have its own some day. */
export interface PasswordSettings {
  /** Code points after normalisation, for a password that opens the account alone (NIST SP 800-63B-4 §3.1.1.1). */
  readonly minLength: number;
  /** The same beside a second factor; never more than `minLength`. */
  readonly minLengthWithSecondFactor: number;
  /** One step less is enough beside a second factor: eight random characters are fair, and nine are good. */
  readonly minScore: Score;
  /** How many of each kind there must be. Empty unless an auditor asks: NIST SP 800-63B-4 advises against it. */
  readonly classes: Readonly<Partial<Record<CharacterClass, number>>>;
  /** Days after which a password has to be changed. Undefined: it does not expire. */
  readonly maxAgeDays?: number | undefined;
  /** How many passwords may not come back, the present one included: 1 to 24. */
  readonly history: number;
}

/** Everything that can be wrong with a new password. */
export type PasswordReasonCode =
  | 'empty'
  | 'not_text'
  | 'too_short'
  | 'too_long'
  | 'needs_upper'
  | 'needs_lower'
  | 'needs_digit'
  | 'needs_symbol'
  | 'common'
  | 'service_word'
  | 'personal_word'
  | 'weak'
  | 'used_before'
  | 'breached';

/** A code for programs and a sentence for the person. */
export interface PasswordReason {
  readonly code: PasswordReasonCode;
  readonly text: string;
}

/** What a page says before anything is typed. */
export interface PasswordRules {
  readonly minLength: number;
  readonly maxLength: number;
  readonly minScore: Score;
  readonly classes: PasswordSettings['classes'];
  /** The rules as sentences, the most important first. */
  readonly texts: readonly string[];
}

const patterns: Readonly<Record<CharacterClass, RegExp>> = {
  upper: /\p{Lu}/gu,
  lower: /\p{Ll}/gu,
  digit: /\p{Nd}/gu,
  symbol: /[^\p{L}\p{N}\p{M}]/gu,
};

const classNames: Readonly<Record<CharacterClass, readonly [one: string, many: string]>> = {
  upper: ['capital letter', 'capital letters'],
  lower: ['small letter', 'small letters'],
  digit: ['digit', 'digits'],
  symbol: ['space or symbol', 'spaces or symbols'],
};

/** The kinds in the order in which they are told. */
export const characterClasses = Object.keys(patterns) as readonly CharacterClass[];

const amount = (kind: CharacterClass, count: number): string =>
  count === 1 ? `a ${classNames[kind][0]}` : `${count} ${classNames[kind][1]}`;

/** How many characters of a kind are missing from a text. */
export const missingOf = (kind: CharacterClass, text: string, { classes }: PasswordSettings): number =>
  Math.max(0, (classes[kind] ?? 0) - (text.match(patterns[kind])?.length ?? 0));

/** Code points, as NIST SP 800-63B-4 §3.1.1.2 counts. */
export const lengthOf = (text: string): number => [...text].length;

/** The shortest password that is enough. */
export const minimumLength = (settings: PasswordSettings, secondFactor: boolean): number =>
  secondFactor ? Math.min(settings.minLength, settings.minLengthWithSecondFactor) : settings.minLength;

/** The least strength that is enough. */
export const minimumScore = ({ minScore }: PasswordSettings, secondFactor: boolean): Score =>
  secondFactor && minScore > 0 ? ((minScore - 1) as Score) : minScore;

/** Why `normalisePassword` would not take it. */
export function impossibleReason(password: string): PasswordReason {
  if (password === '') return { code: 'empty', text: 'Enter a password.' };
  if (password.length <= 2 * maxPasswordLength && !password.isWellFormed()) {
    return { code: 'not_text', text: 'This password has a broken character. Type it again.' };
  }
  return { code: 'too_long', text: `Use ${maxPasswordLength} characters or fewer.` };
}

/** What can be seen by counting, for a normalised password. */
export function countedReasons(text: string, settings: PasswordSettings, secondFactor: boolean): PasswordReason[] {
  const [least, length] = [minimumLength(settings, secondFactor), lengthOf(text)];
  const reasons: PasswordReason[] = [];
  if (length < least) {
    reasons.push({ code: 'too_short', text: `Use ${least} characters or more. This password has ${length}.` });
  }
  for (const kind of characterClasses) {
    const missing = missingOf(kind, text, settings);
    if (missing > 0) reasons.push({ code: `needs_${kind}`, text: `Add ${amount(kind, missing)}.` });
  }
  return reasons;
}

const texts = {
  common: 'This password is on lists of common passwords, which are tried first. Use another one.',
  service_word: 'This password is mostly the name of this service. Use another one.',
  personal_word: 'This password is mostly your name, username or address. Use another one.',
  weak: 'This password is easy to guess. Add a few words that do not belong together.',
  breached: 'This password was found in a data breach elsewhere, so others know it. Use another one.',
} as const;

/** A reason whose text is always the same. */
export const plainReason = (code: keyof typeof texts): PasswordReason => ({ code, text: texts[code] });

/** The reason of a password that came back. */
export const usedBefore = ({ history }: PasswordSettings): PasswordReason => ({
  code: 'used_before',
  text:
    history <= 1
      ? 'This is your password already. Use another one.'
      : `This is one of your last ${history} passwords. Use another one.`,
});

/** The rules in words. */
export function rulesOf(settings: PasswordSettings, secondFactor: boolean): PasswordRules {
  const minLength = minimumLength(settings, secondFactor);
  const asked = characterClasses.flatMap((kind) => {
    const count = settings.classes[kind] ?? 0;
    return count > 0 ? [amount(kind, count)] : [];
  });
  return {
    minLength,
    maxLength: maxPasswordLength,
    minScore: minimumScore(settings, secondFactor),
    classes: settings.classes,
    texts: [
      `Use ${minLength} characters or more. A few words that do not belong together are easy to remember.`,
      ...(asked.length > 0 ? [`It needs ${new Intl.ListFormat('en').format(asked)}.`] : []),
      ...(settings.history > 1 ? [`Your last ${settings.history} passwords cannot come back.`] : []),
    ],
  };
}
