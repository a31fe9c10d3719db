import { deflateSync } from 'node:zlib';
import { expect } from 'chai';
import { createResourceServer, type ResourceServer } from '../../src/resource-server/index.ts';
import { Issuer, listUri, newPair, refusal } from './issuer.ts';

const path = new URL(listUri).pathname;

describe('resource server: status lists', () => {
  let id: Issuer;
  let api: ResourceServer;

  beforeEach(async () => {
    id = await Issuer.create();
    api = createResourceServer(id.options());
  });

  const withStatus = (idx: unknown = 9, uri: unknown = listUri): Promise<string> =>
    id.token({ status: { status_list: { idx, uri } } });
  const codeOf = async (token: string, server = api): Promise<string> => (await refusal(server.verify(token))).code;

  it('are looked at for every token at every request, and fetched once in their ttl', async () => {
    const token = await withStatus();
    const neighbour = await withStatus(10);
    await api.verify(token);
    await Promise.all(Array.from({ length: 20 }, () => api.verify(token)));
    expect(id.count(path)).to.equal(1);
    id.revoked.add(9);
    id.advance(59);
    await api.verify(token);
    id.advance(2);
    const error = await refusal(api.verify(token));
    expect({ code: error.code, message: error.message }).to.deep.equal({
      ...{ code: 'invalid_token', message: 'The token was revoked.' },
    });
    await api.verify(neighbour);
    expect(id.count(path)).to.equal(2);
  });

  it('are not asked for where nobody wants them, and demanded where they are', async () => {
    id.revoked.add(9);
    await createResourceServer(id.options({ statusList: { mode: 'ignore' } })).verify(await withStatus());
    const strict = createResourceServer(id.options({ statusList: { mode: 'require' } }));
    expect(await codeOf(await id.token(), strict)).to.equal('invalid_token');
    await strict.verify(await withStatus(10));
  });

  it('have no place for an index out of bounds or of another kind, nor for another mechanism', async () => {
    for (const idx of [1024, -1, 1.5, '9', null, Number.MAX_SAFE_INTEGER]) {
      expect(await codeOf(await withStatus(idx)), String(idx)).to.equal('invalid_token');
    }
    expect(await codeOf(await id.token({ status: {} }))).to.equal('invalid_token');
    expect(await codeOf(await id.token({ status: { other: {} } }))).to.equal('invalid_token');
  });

  it('count only when they are lists of that address, by the issuer, and of now', async () => {
    const other = await newPair('k1');
    const bomb = { bits: 1, lst: deflateSync(Buffer.alloc(8 * 1024 * 1024)).toString('base64url') };
    const bad: Record<string, () => Promise<string>> = {
      'another typ': () => id.list({}, { typ: 'at+jwt' }),
      'another address': () => id.list({ sub: `${listUri}8` }),
      'another issuer': () => id.list({ iss: 'https://evil.example' }),
      expired: () => id.list({ exp: id.seconds - 10 }),
      'no iat': () => id.list({ iat: undefined as never }),
      'another key': () => id.sign({ sub: listUri, iat: id.seconds }, { typ: 'statuslist+jwt' }, other),
      'odd bits': () => id.list({ status_list: { bits: 3, lst: 'eNrjYAIAABQACw' } }),
      'no zlib': () => id.list({ status_list: { bits: 1, lst: 'AAAA' } }),
      'a bomb': () => id.list({ status_list: bomb }),
      'no list': () => id.list({ status_list: undefined }),
      text: async () => 'hello',
    };
    for (const [what, list] of Object.entries(bad)) {
      id.answers.set(path, async () => new Response(await list()));
      const server = createResourceServer(id.options());
      expect(await codeOf(await withStatus(), server), what).to.equal('unavailable');
    }
  });

  it('read wider entries, of which none but zero is good', async () => {
    // The draft's vector of two bits: 1,2,0,3,…
    id.answers.set(path, async () => new Response(await id.list({ status_list: { bits: 2, lst: 'eNo76fITAAPfAgc' } })));
    expect(await codeOf(await withStatus(0))).to.equal('invalid_token');
    expect(await codeOf(await withStatus(1))).to.equal('invalid_token');
    await api.verify(await withStatus(2));
    expect(await codeOf(await withStatus(3))).to.equal('invalid_token');
  });

  it('are used a limited time longer when they cannot be fetched, then nothing in them passes', async () => {
    const token = await withStatus();
    await api.verify(token);
    id.answers.set(path, () => new Response('', { status: 500 }));
    id.advance(61);
    await api.verify(token);
    await api.verify(token);
    expect(id.count(path), 'nobody waits for it twice').to.equal(2);
    id.advance(298);
    await api.verify(token);
    id.advance(2);
    expect(await codeOf(token)).to.equal('unavailable');
    id.answers.set(path, async () => new Response(await id.list()));
    id.advance(2);
    await api.verify(token);
  });

  it('are never used past their own end', async () => {
    id.answers.set(path, async () => new Response(await id.list({ exp: id.seconds + 90 })));
    const token = await withStatus();
    await api.verify(token);
    id.answers.set(path, () => new Response('', { status: 500 }));
    id.advance(89);
    await api.verify(token);
    id.advance(2);
    expect(await codeOf(token)).to.equal('unavailable');
  });
});
