import { expect } from 'chai';
import { hashOfKey, looksLikeKey, newKeyId, newKeyText, readKeyText } from '../../src/api-keys/key-text.ts';

describe('the text of an API key', () => {
  const id = newKeyId();
  const text = newKeyText(id);

  it('names its key, and is hashed as a whole', () => {
    expect(text).to.match(/^spk_[0-9a-hjkmnp-tv-z]{16}_[0-9a-hjkmnp-tv-z]{59}$/);
    expect(readKeyText(text)).to.deep.equal({ id, hash: hashOfKey(text) });
    expect(newKeyText(id)).not.to.equal(text);
    expect(looksLikeKey(text)).to.equal(true);
    expect(looksLikeKey(`at_${text}`)).to.equal(false);
  });

  it('is none with any one character changed, missing, doubled or swapped with its neighbour', () => {
    for (let at = 0; at < text.length; at += 1) {
      const [before, char = '', after] = [text.slice(0, at), text[at], text.slice(at + 1)];
      expect(readKeyText(before + (char === '0' ? '1' : '0') + after), `changed at ${at}`).to.equal(undefined);
      expect(readKeyText(before + after), `missing at ${at}`).to.equal(undefined);
      expect(readKeyText(before + char + char + after), `doubled at ${at}`).to.equal(undefined);
      const swapped = before + (after[0] ?? '') + char + after.slice(1);
      if (swapped !== text) expect(readKeyText(swapped), `swapped at ${at}`).to.equal(undefined);
    }
  });

  it('is none in another case, with spaces, or of another shape', () => {
    for (const other of [
      '',
      'spk_',
      text.toUpperCase(),
      ` ${text}`,
      `${text}\n`,
      `${text}0`,
      text.replace('spk', 'sk'),
    ]) {
      expect(readKeyText(other), JSON.stringify(other)).to.equal(undefined);
    }
  });
});
