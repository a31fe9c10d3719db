import { expect } from 'chai';
import {
  type Access,
  AccessError,
  createResourceServer,
  requireAcr,
  requirePermission,
  requireRole,
  requireScope,
  resourceMetadata,
  resourceMetadataUrl,
} from '../../src/resource-server/index.ts';
import { audience, Issuer, issuer, refusal } from './issuer.ts';

const access = (claims: object, scopes: string[] = []): Access => ({
  claims: claims as Access['claims'],
  scopes: new Set(scopes),
  checkedAt: 1_000_000_000,
  challenge: { scheme: 'Bearer', resourceMetadata: 'https://api.example.com/meta' },
});

describe('resource server: demands', () => {
  const challengeOf = async (work: () => void): Promise<string | undefined> =>
    (await refusal(work)).headers['WWW-Authenticate'];

  it('asks for scopes, all of them, and names them', async () => {
    const given = access({}, ['a', 'b']);
    requireScope(given, 'a', 'b');
    requireScope(given);
    const error = await refusal(() => requireScope(given, 'a', 'c'));
    expect(error.status).to.equal(403);
    expect(error.headers['WWW-Authenticate']).to.equal(
      'Bearer error="insufficient_scope", error_description="The token lacks a scope.", scope="a c", resource_metadata="https://api.example.com/meta"',
    );
    for (const scope of ['A', 'a b', '', 'constructor']) await refusal(() => requireScope(given, scope));
  });

  it('asks for permissions and roles, and takes no text for a list', async () => {
    requirePermission(access({ permissions: ['orders:read', 'orders:write'] }), 'orders:write', 'orders:read');
    for (const permissions of [undefined, null, [], 'orders:write', ['orders'], { 'orders:write': true }]) {
      expect(await challengeOf(() => requirePermission(access({ permissions }), 'orders:write'))).to.not.include(
        'scope=',
      );
    }
    requireRole(access({ roles: ['clerk'] }), 'admin', 'clerk');
    requireRole(access({ roles: [{ value: 'admin', display: 'Admin' }] }), 'admin');
    for (const roles of [undefined, 'admin', [null], [{ display: 'admin' }], ['Admin'], [undefined]]) {
      expect((await refusal(() => requireRole(access({ roles }), 'admin'))).status).to.equal(403);
    }
  });

  it('asks for a stronger or a younger sign-in by saying which (RFC 9470)', async () => {
    const given = access({ acr: 'aal1', auth_time: 999_000 });
    requireAcr(given, { acr: ['aal2', 'aal1'], maxAge: 1000 });
    requireAcr(given, {});
    const strong = await refusal(() => requireAcr(given, { acr: 'aal2' }));
    expect(strong.status).to.equal(401);
    expect(strong.headers['WWW-Authenticate']).to.match(
      /^Bearer error="insufficient_user_authentication", .*acr_values="aal2"/,
    );
    expect(await challengeOf(() => requireAcr(given, { acr: ['aal3', 'aal2'], maxAge: 999 }))).to.include(
      'acr_values="aal3 aal2", max_age="999"',
    );
    for (const claims of [{}, { auth_time: '999999' }, { auth_time: Number.NaN }, { acr: ['aal2'] }]) {
      await refusal(() => requireAcr(access(claims), { acr: 'aal2' }));
      await refusal(() => requireAcr(access(claims), { maxAge: 2_000_000_000 }));
    }
  });

  it('sends nothing in a challenge that could end it or the header', () => {
    const parameters = { scope: 'a", error="x\r\nSet-Cookie: a=b\\' };
    const { headers } = new AccessError('insufficient_scope', 'no "way"\n', { scheme: 'Bearer' }, { parameters });
    expect(headers['WWW-Authenticate']).to.equal(
      'Bearer error="insufficient_scope", error_description="no way", scope="a, error=xSet-Cookie: a=b"',
    );
  });

  it('tells those without a token how to get one, and those with a bad header that it is bad', async () => {
    const id = await Issuer.create();
    const server = createResourceServer(id.options({ dpop: { algorithms: ['ES256'] } }));
    const url = 'https://api.example.com/.well-known/oauth-protected-resource/v1';
    for (const authorization of [undefined, '', 'Basic YTpi', 'Negotiate x']) {
      const error = await refusal(server.authenticate({ authorization }));
      expect(error.status).to.equal(401);
      expect(error.headers['WWW-Authenticate']).to.equal(
        `Bearer resource_metadata="${url}", DPoP resource_metadata="${url}", algs="ES256"`,
      );
    }
    const token = await id.token();
    for (const authorization of ['Bearer', 'Bearer ', `Bearer ${token}, Bearer ${token}`, 'Bearer a b', 'bearer "x"']) {
      const error = await refusal(server.authenticate({ authorization }));
      expect({ code: error.code, status: error.status }, authorization).to.deep.equal({
        code: 'invalid_request',
        status: 400,
      });
    }
    await server.authenticate({ authorization: `bearer  ${token}` });
    const strict = createResourceServer(id.options({ dpop: { mode: 'required' } }));
    expect((await refusal(strict.authenticate({ authorization: undefined }))).headers['WWW-Authenticate']).to.match(
      /^DPoP /,
    );
  });

  it('makes metadata and their address as RFC 9728 has them', () => {
    expect(resourceMetadataUrl('https://api.example.com/v1')).to.equal(
      'https://api.example.com/.well-known/oauth-protected-resource/v1',
    );
    expect(resourceMetadataUrl('https://api.example.com/')).to.equal(
      'https://api.example.com/.well-known/oauth-protected-resource',
    );
    expect(resourceMetadataUrl('https://api.example.com/v1/')).to.equal(
      'https://api.example.com/.well-known/oauth-protected-resource/v1',
    );
    expect(resourceMetadataUrl('https://api.example.com/v1?k=v')).to.equal(
      'https://api.example.com/.well-known/oauth-protected-resource/v1?k=v',
    );
    const made = resourceMetadata(audience, issuer, {
      scopes_supported: ['a'],
      jwks: [],
      resource: 'https://evil.example',
    });
    expect(made).to.deep.equal({
      resource: audience,
      ...{ authorization_servers: [issuer], bearer_methods_supported: ['header'], scopes_supported: ['a'] },
    });
  });
});
