// Says while somebody types how hard a new password is to guess. It asks nobody: it is a rough count that rather says too
// little than too much. The server measures with dictionaries, and its word holds.

/** Pairs of letters that words are made of; a letter that follows in one is half known already. */
const pairs = new Set(
  'abacadaeafagahaiakalamanaparasatauavawaxayazbabbbebiblbobrbsbubycacccechcickclcocrctcucydadddedgdidldmdodrdsdudyeaebecedeeefegeheiekelemeneoepereseteuevewexeyfafefffiflfofrftfufygageggghgiglgngogrgsguhahehihohrhthuhyiaibicidieifigikiliminioipirisitivizjajejojukakekiklknkokskylaldlelflilklllmlolsltlulvlymambmemimmmompmsmumynancndnenfngninknnnonsntnunvnyoaobocodoeofogohoiokolomonoooporosotouovowoypapephpiplpoppprpsptpuquqwrarbrcrdrerfrgrirkrlrmrnrorprrrsrtrurvrysascseshsiskslsmsnsospssstsuswsytatctethtitltmtotrtstttutwtyuaubucudueufuguiulumunupurusutvavevivowawewhwiwnwowsxiyayeylymynyoyszazezizz'.match(
    /../g,
  ),
);
const rows = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qazwsxedc'];
const runs = [...rows, ...rows.map((row) => [...row].reverse().join(''))];

const costs = { word: 2, run: 4, year: 6, next: 1.3, letter: 4, digit: 3, other: 3 };
/** Bits of guesses from which on a password is weak, fair, good and strong: those of zxcvbn. */
const steps = [10, 19.9, 26.6, 33.2];

/** The longest piece at the start that a guesser takes as one: a known word, a repetition, a run, a year. */
function piece(text, words) {
  const word = words.find((known) => text.startsWith(known));
  if (word) return { length: word.length, bits: costs.word };
  const same = /^(.)\1\1+/su.exec(text)?.[0].length ?? 0;
  if (same > 0) return { length: same, bits: costs.run + Math.log2(same) };
  for (let length = Math.min(text.length, 12); length > 2; length -= 1) {
    const start = text.slice(0, length);
    if (runs.some((run) => run.includes(start))) return { length, bits: costs.run + Math.log2(length) };
  }
  return /^(19|20)\d\d/.test(text) ? { length: 4, bits: costs.year } : undefined;
}

function characterBits(before, character) {
  if (/\d/.test(character)) return costs.digit;
  if (!/\p{L}/u.test(character)) return costs.other;
  return pairs.has(before + character) ? costs.next : costs.letter;
}

/** What is repeated when a text is nothing but repetition, else the text. */
const unitOf = (text) => text.slice(0, `${text}${text}`.indexOf(text, 1));

const known = (words) =>
  words
    .flatMap((word) => word.toLowerCase().split(/[^\p{L}\p{N}]+/u))
    .filter((word) => word.length > 2)
    .sort((a, b) => b.length - a.length);

/** The strength from 0 to 4; `words` are names that others would try first. */
export function estimate(password, words = []) {
  const whole = password.normalize('NFKC').toLowerCase().slice(0, 64);
  if (whole === '') return 0;
  const text = unitOf(whole);
  const names = known(words);
  const seen = new Map();
  let bits = Math.log2(whole.length / text.length);
  let before = '';
  for (let at = 0; at < text.length; ) {
    const found = piece(text.slice(at), names);
    const character = String.fromCodePoint(text.codePointAt(at));
    const often = seen.get(character) ?? 0;
    // A character that has come up again and again says little.
    bits += found?.bits ?? characterBits(before, character) / (1 + Math.floor(often / 4));
    if (!found) seen.set(character, often + 1);
    before = found ? '' : character;
    at += found?.length ?? character.length;
  }
  return steps.filter((step) => bits >= step).length;
}

/** Characters as the server counts them. */
export const lengthOf = (password) => [...password.normalize('NFKC')].length;

/** What was wrong with the password that was sent is not said about the one that is typed: the rules take its place. */
function forgetRefusal(input, rules) {
  const error = document.getElementById(`${input.id}-error`);
  if (!error) return;
  const hint = Object.assign(document.createElement('p'), {
    className: 'hint',
    id: `${input.id}-hint`,
    textContent: rules,
  });
  error.replaceWith(hint);
  input.removeAttribute('aria-invalid');
  input.setAttribute('aria-describedby', hint.id);
}

function watch(box) {
  const input = document.getElementById(box.dataset.strength);
  const [meter, text] = [box.querySelector('meter'), box.querySelector('[data-strength-text]')];
  const live = document.querySelector('[data-live]');
  const { levels, short, names, rules } = JSON.parse(box.dataset.texts);
  const least = Number(box.dataset.least);
  let timer;
  const show = () => {
    const score = estimate(input.value, names);
    const missing = least - lengthOf(input.value);
    const said = missing > 0 ? short.replace('%d', missing) : levels[score];
    box.hidden = input.value === '';
    // Too short is never better than weak, however it is mixed.
    meter.value = missing > 0 ? Math.min(score, 1) : score;
    text.textContent = said;
    clearTimeout(timer);
    // Told once the typing stops, or a screen reader would talk over every key.
    timer = setTimeout(() => {
      if (!box.hidden && live) live.textContent = said;
    }, 800);
  };
  input.addEventListener('input', show);
  input.addEventListener('input', () => forgetRefusal(input, rules), { once: true });
  if (input.value !== '') show();
}

if (typeof document !== 'undefined') document.querySelectorAll('[data-strength]').forEach(watch);
