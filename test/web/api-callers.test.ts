import { expect } from 'chai';
import { epochSeconds, systemClock } from '../../src/shared/clock.ts';
import { SecretRing } from '../../src/shared/crypto.ts';
import { asAccountId } from '../../src/shared/ids.ts';
import { caller, type Frame, startFrame } from './api-frame-server.ts';

describe('who may call the JSON API, and by what', () => {
  let frame: Frame;
  const call: Frame['call'] = (...given) => frame.call(...given);
  let url: string;

  before(async () => {
    frame = await startFrame();
    url = frame.url;
  });
  after(() => frame.end());

  it('asks for a recent sign-in, with the second factor where there is one (RFC 9470)', async () => {
    const now = epochSeconds(systemClock);
    const scopes = new Set(['account:security']);
    const cases: [string, { authTime?: number; acr?: string }, boolean, number, string?][] = [
      ['fresh', { authTime: now - 590, acr: 'aal1' }, false, 204],
      ['old', { authTime: now - 610, acr: 'aal1' }, false, 401, 'aal1'],
      ['unknown', {}, false, 401, 'aal1'],
      ['one factor of two', { authTime: now, acr: 'aal1' }, true, 401, 'aal2'],
      ['none of two', { authTime: now }, true, 401, 'aal2'],
      ['both', { authTime: now, acr: 'aal2' }, true, 204],
      ['both, long ago', { authTime: now - 610, acr: 'aal2' }, true, 401, 'aal2'],
    ];
    for (const [name, proof, hasTotp, status, acr] of cases) {
      frame.state.totp = hasTotp;
      frame.callers.set('it', caller({ scopes, ...proof }));
      const answer = await call('/sensitive', { method: 'POST', headers: { authorization: 'Bearer it' } });
      expect(answer.status, name).to.equal(status);
      const challenge = answer.headers.get('www-authenticate') ?? '';
      if (acr === undefined) continue;
      expect(challenge, name).to.include('error="insufficient_user_authentication"');
      expect(challenge, name).to.include('max_age="600"').and.include(`acr_values="${acr}"`);
    }
    frame.state.totp = false;
    frame.callers.set('it', caller({ scopes, authTime: now, acr: 'aal1' }));
    const late = await call('/sensitive', {
      method: 'POST',
      headers: { authorization: 'Bearer it', 'user-agent': 'late' },
    });
    expect(late.status, 'the account went away meanwhile').to.equal(401);
    expect(late.headers.get('www-authenticate')).to.include('error="invalid_token"');
    frame.callers.set('it', caller({ authTime: now, acr: 'aal1' }));
    const narrow = await call('/sensitive', { method: 'POST', headers: { authorization: 'Bearer it' } });
    expect(narrow.status, 'the scope is asked for first').to.equal(403);
  });

  it('knows the browser of a person on our own origin only, and its changes by their token', async () => {
    const now = epochSeconds(systemClock);
    frame.browsers.set('mine', {
      uid: 'u1',
      accountId: asAccountId('acc_1'),
      amr: ['pwd'],
      acr: 'aal1',
      authTime: now,
    });
    frame.browsers.set('gone', { uid: 'u2', accountId: asAccountId('acc_2'), amr: ['pwd'], authTime: now });
    frame.state.totp = false;
    const secret = 'c'.repeat(43);
    const token = new SecretRing(['0'.repeat(32)]).mac('csrf', `${secret} acc_1`);
    const cookie = `sp_session=mine; sp_csrf=${secret}`;
    const read = (headers: Record<string, string> = {}) => call('/mine', { headers: { cookie, ...headers } });
    const change = (headers: Record<string, string> = {}) =>
      call('/sensitive', { method: 'POST', headers: { cookie, 'x-csrf-token': token, ...headers } });

    for (const headers of [{}, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: url }]) {
      const answer = await read(headers);
      expect(answer.json).to.deep.equal({ id: 'acc_1', limit: 0, who: 'browser u1' });
      expect(answer.headers.get('access-control-allow-origin'), 'for nobody else to read').to.equal(null);
    }
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { origin: `${url}.evil.example`, 'sec-fetch-site': 'same-origin' },
      { cookie: 'sp_session=gone' },
      { cookie: '' },
    ]) {
      const name = JSON.stringify(headers);
      expect((await read(headers)).status, name).to.equal(401);
      expect((await change(headers)).status, name).to.equal(401);
    }
    expect((await change({ 'sec-fetch-site': 'same-origin', origin: url })).status).to.equal(204);
    expect((await change({ 'sec-fetch-site': 'same-origin', origin: 'null' })).status).to.equal(204);
    expect((await change({ 'sec-fetch-site': 'none' })).status, 'nobody types a POST').to.equal(401);
    for (const bad of ['', 'x', `${token}x`, secret]) {
      const answer = await change({ 'x-csrf-token': bad });
      expect(answer.status, bad).to.equal(403);
      expect(answer.json.detail).to.include('X-CSRF-Token');
    }
    expect((await change({ cookie: 'sp_session=mine' })).status, 'a token without its cookie').to.equal(403);
    const both = await read({ authorization: 'Bearer bad' });
    expect(both.status, 'a token that is sent decides').to.equal(401);

    frame.state.totp = true;
    const weak = await read();
    expect([weak.status, weak.headers.get('www-authenticate')?.includes('acr_values="aal2"')]).to.deep.equal([
      401,
      true,
    ]);
    frame.state.totp = false;
  });
});
