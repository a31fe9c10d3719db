/** Longest part of a password that may be dressing: `Sunshine2024!` is `sunshine`, `love` and 16 random digits is not. */
const dressing = 0.5;
const shortestWord = 3;
/** With this many characters of its own beside a word, a password is judged by its strength. */
const ownCharacters = 8;
const mostWords = 40;
const longestWord = 64;

const lookAlikes: Readonly<Record<string, string>> = {
  '4': 'a',
  '@': 'a',
  '8': 'b',
  '(': 'c',
  '3': 'e',
  '6': 'g',
  '9': 'g',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '+': 't',
  '7': 't',
  '2': 'z',
};

/** Small letters without accents. */
const fold = (text: string): string => text.toLowerCase().normalize('NFKD').replaceAll(/\p{M}/gu, '');

/** The text, and what it reads like with figures and signs for letters; 1 and | read as i and as l. */
function readings(text: string): string[] {
  const plain = fold(text);
  const read = plain.replaceAll(/[4@8(369!0$5+72]/g, (sign) => lookAlikes[sign] ?? sign);
  return [...new Set([plain, read.replaceAll(/[1|]/g, 'i'), read.replaceAll(/[1|]/g, 'l')])];
}

/** What is repeated when a text is nothing but repetition, else the text. */
function unitOf(text: string): string {
  const period = `${text}${text}`.indexOf(text, 1);
  return text.slice(0, period);
}

const withoutDressing = (text: string): string => {
  const core = text.replace(/^[^\p{L}]+/u, '').replace(/[^\p{L}]+$/u, '');
  return core.length >= text.length * dressing ? core : text;
};

/**
 * Whether a whole password is on the list, in any case, dressed with figures and signs, with look-alikes for letters, or
 * repeated. One that only contains a listed word is not (NIST SP 800-63B-4 §3.1.1.2).
 */
export function isListed(text: string, list: ReadonlySet<string>): boolean {
  const plain = text.toLowerCase();
  const units = [plain, plain.replaceAll(/[\s_.-]/g, '')].flatMap((form) => [form, unitOf(form)]);
  if (units.some((unit) => unit.length === 1)) return true;
  // Stripped before it is read, since a reading turns the figures of the dressing into letters.
  return units
    .flatMap((unit) => [unit, withoutDressing(unit)])
    .some((form) => readings(form).some((word) => list.has(word)));
}

/** The words in names, usernames and addresses that a password should not consist of; at most forty. */
export function wordsOf(values: readonly string[]): string[] {
  const words = new Set<string>();
  for (const value of values) {
    const text = fold(value.slice(0, 320).normalize('NFKC'));
    const [local = '', domain] = text.split('@');
    // The last label of a host says nothing about anybody.
    const host = domain?.split('.').slice(0, -1).join(' ') ?? '';
    const parts = `${local} ${host}`.split(/[^\p{L}\p{N}]+/u);
    for (const word of [local.replaceAll(/[^\p{L}\p{N}]/gu, ''), ...parts]) {
      if (word.length >= shortestWord && word.length <= longestWord && words.size < mostWords) words.add(word);
    }
  }
  return [...words].sort((a, b) => b.length - a.length);
}

/** Whether a password is little more than some of these words: see {@link wordsOf}. */
export function consistsOf(text: string, words: readonly string[]): boolean {
  return readings(text).some((reading) => {
    const bare = reading.replaceAll(/[^\p{L}\p{N}]/gu, '');
    const rest = words.reduce((left, word) => left.replaceAll(word, ''), bare);
    const taken = bare.length - rest.length;
    return taken > 0 && rest.length < ownCharacters && rest.length <= taken;
  });
}
