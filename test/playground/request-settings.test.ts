import { expect } from 'chai';
import { readSettings } from '../../src/playground/request-settings.ts';

const read = (fields: Record<string, string>) => readSettings(new Map(Object.entries(fields)));

describe('playground: the settings of a request', () => {
  for (const [field, value, message] of [
    ['max_age', 'x', 'Give a number of seconds.'],
    ['max_age', '1.5', 'Give whole seconds.'],
    ['max_age', '-1', 'Give 0 or more.'],
    ['prompt', 'maybe', 'Choose one of the list.'],
    ['acr_values', 'x'.repeat(201), 'Give 200 characters or fewer.'],
    ['login_hint', 'x'.repeat(201), 'Give 200 characters or fewer.'],
    ['resource', 'notes', 'Give an absolute URI without a fragment.'],
    ['resource', `https://a.example/${'x'.repeat(500)}`, 'Give 500 characters or fewer.'],
    ['claims', '[1]', 'Give a JSON object, for example {"id_token":{"email":null}}.'],
    ['more_scopes', 'a "b"', 'A scope has no spaces, quotes or backslashes.'],
    ['more_scopes', 'x'.repeat(1001), 'Give 1000 characters or fewer.'],
  ] as const) {
    it(`says of ${field} "${value.slice(0, 20)}": ${message}`, () => {
      expect(read({ [field]: value })).to.deep.equal({ ok: false, problems: { [field]: message } });
    });
  }

  it('takes an empty field for none, and 0 for a number', () => {
    const empty = read({ prompt: '', max_age: ' ', acr_values: '', login_hint: '', resource: '', claims: '' });
    expect(empty).to.deep.equal(read({}));
    expect(empty.ok && empty.settings.max_age).to.equal(undefined);
    const zero = read({ max_age: '0' });
    expect(zero.ok && zero.settings.max_age).to.equal(0);
  });
});
