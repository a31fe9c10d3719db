import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { z } from 'zod';
import { protocolRoutes } from '../../src/oidc/index.ts';
import { toJsonSchema } from '../../src/web/api/json-schema.ts';
import { type MeSurface, meOperations } from '../../src/web/api/me.ts';
import { createOpenApiDocument } from '../../src/web/api/openapi-document.ts';
import type { JsonSchema, OpenApiDocument } from '../../src/web/api/openapi-types.ts';
import { openToAll, operation, person } from '../../src/web/api/operation.ts';
import { fieldsOf, typeText } from '../../src/web/api/schema-fields.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { WebClient } from '../support/web-client.ts';

const issuer = 'https://id.example';

const validate = async (document: unknown): Promise<unknown> =>
  (await new Validator().validate(structuredClone(document) as Record<string, unknown>)) as unknown;

const decode = (html: string): string =>
  html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#34;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

/** An operation with everything that one can have. */
const note = z.object({ id: z.string(), text: z.string().max(100) }).meta({ id: 'Note', description: 'A note.' });
const everything = operation({
  method: 'post',
  path: '/notes/{id}',
  id: 'putNote',
  tag: 'Account',
  summary: 'Write a note',
  access: person('account:write'),
  params: z.strictObject({ id: z.string().min(3).meta({ description: 'Which note.' }) }),
  query: z.strictObject({ limit: z.coerce.number().int().min(1).max(50).default(20) }),
  body: z.strictObject({ text: z.string(), kind: z.enum(['plain', 'rich']).optional() }),
  example: { text: 'Hello' },
  refusals: { conflict: 'There is such a note.' },
  replies: { 200: { description: 'It was there.', body: note }, 204: { description: 'It is new.' } },
  handler: async ({ params, query, body }) =>
    body.text === ''
      ? { status: 204 }
      : { status: 200, body: { id: params.id, text: body.text.slice(0, query.limit) } },
});

describe('the OpenAPI document', () => {
  let server: RunningApp;
  let document: OpenApiDocument;

  before(async () => {
    server = await startApp();
    document = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as OpenApiDocument;
  });
  after(() => server[Symbol.asyncDispose]());

  it('is a sound OpenAPI 3.1 document, which anybody may read from any origin', async () => {
    expect(await validate(document)).to.deep.include({ valid: true });
    expect(document.openapi).to.match(/^3\.1\./);
    const answer = await fetch(`${server.url}/api/v1/openapi.json`, { headers: { origin: 'https://tools.example' } });
    expect(answer.headers.get('access-control-allow-origin')).to.equal('*');
    expect(answer.headers.get('content-type')).to.match(/^application\/json/);
    expect(await validate({ ...document, paths: { '/x': { get: { responses: 1 } } } })).to.deep.include({
      valid: false,
    });
  });

  it('refers only to what it has, and names every operation once', () => {
    const text = JSON.stringify(document);
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      expect(document.components.schemas, name).to.have.property(name);
    }
    expect(text).to.not.include('$defs');
    const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).to.equal(operations.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { tags: own } of operations) expect(tags).to.include.members([...own]);
  });

  it('describes exactly the protocol endpoints that discovery announces', async () => {
    const metadata = (await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()) as Record<
      string,
      unknown
    >;
    const announced = Object.entries(metadata)
      .filter(([name]) => name === 'jwks_uri' || name.endsWith('_endpoint'))
      .map(([, url]) => new URL(String(url)).pathname);
    const described = Object.keys(document.paths).filter((path) => path.startsWith('/oauth2/') && !path.includes('{'));
    expect(described).to.have.members(announced);
    expect(document.paths).to.have.property('/.well-known/openid-configuration');
    expect(document.servers).to.deep.equal([{ url: metadata.issuer }]);

    const grants = JSON.stringify(
      [protocolRoutes.token, protocolRoutes.authorization].map((path) => document.paths[path]),
    );
    for (const grant of metadata.grant_types_supported as string[]) expect(grants).to.include(`\`${grant}\``);
    const methods = JSON.stringify(document);
    for (const method of metadata.token_endpoint_auth_methods_supported as string[]) {
      if (!['none', 'client_secret_basic'].includes(method)) expect(methods).to.include(`\`${method}\``);
    }
    const { accessToken } = document.components.securitySchemes as {
      accessToken: { flows: { authorizationCode: Record<string, unknown> & { scopes: object } } };
    };
    const { authorizationUrl, tokenUrl, scopes } = accessToken.flows.authorizationCode;
    expect([authorizationUrl, tokenUrl]).to.deep.equal([metadata.authorization_endpoint, metadata.token_endpoint]);
    expect(Object.keys(scopes)).to.include.members(metadata.scopes_supported as string[]);
  });

  it('has every status and media type that the endpoints about tokens and keys answer', async () => {
    const made = await server.app.domains.clients.create(
      { name: 'Service', kind: 'service', mayIntrospect: true },
      { kind: 'operator' },
    );
    const authorization = `Basic ${btoa(`${made.client.id}:${made.secret}`)}`;
    const post = (body: string, headers: Record<string, string> = {}) => ({
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });
    const { introspection, revocation, jwks, token } = protocolRoutes;
    const requests: [path: string, init: RequestInit, status: number][] = [
      [jwks, {}, 200],
      [token, post('grant_type=authorization_code', { authorization }), 400],
    ];
    for (const path of [introspection, revocation]) {
      requests.push([path, post('token=nothing', { authorization }), 200]);
      requests.push([path, post('', { authorization }), 400]);
      requests.push([path, post('token=a&token=b', { authorization }), 400]);
      requests.push([path, post('token=nothing', { authorization: 'Basic eDp5' }), 401]);
    }
    for (const [path, init, status] of requests) {
      const answer = await fetch(`${server.url}${path}`, init);
      expect(answer.status, `${path} ${init.body}`).to.equal(status);
      const { responses } = Object.values(document.paths[path] ?? {})[0] ?? { responses: {} };
      const described = (responses as Record<string, { content?: object }>)[status];
      expect(described, `${path} ${status}`).to.not.equal(undefined);
      if ((await answer.text()) === '') continue;
      const [type] = (answer.headers.get('content-type') ?? '').split(';');
      expect(Object.keys(described?.content ?? {}), `${path} ${status}`).to.deep.equal([type]);
    }
  });

  it('has fields in its forms that the endpoints know, and examples that fit', () => {
    for (const [path, item] of Object.entries(document.paths)) {
      for (const { requestBody, responses } of Object.values(item)) {
        for (const { schema, example } of Object.values(requestBody?.content ?? {})) {
          const names = fieldsOf(schema, document.components.schemas).map(({ name }) => name);
          expect(names, path).to.include.members(Object.keys(example as object));
          expect(Object.keys(example as object), path).to.include.members([...(schema.required ?? [])]);
        }
        for (const { content = {} } of Object.values(responses)) {
          for (const { schema, example } of Object.values(content)) {
            if (example === undefined) continue;
            const fields = fieldsOf(schema, document.components.schemas);
            expect(
              fields.map(({ name }) => name),
              path,
            ).to.include.members(
              Object.keys(example as object).filter(() => schema.$ref !== '#/components/schemas/UserInfo'),
            );
            for (const { name, required } of fields) if (required) expect(example, path).to.have.property(name);
          }
        }
      }
    }
    for (const { replies } of meOperations({} as MeSurface)) {
      for (const { body, example } of Object.values(replies)) {
        if (example !== undefined) expect(body?.parse(example)).to.deep.equal(example);
      }
    }
  });

  it('is made from the schemas that check requests and answers', async () => {
    const own = createOpenApiDocument(issuer, [everything]);
    expect(await validate(own)).to.deep.include({ valid: true });
    const made = own.paths['/api/v1/notes/{id}']?.post;
    expect(made?.parameters).to.deep.equal([
      { name: 'id', in: 'path', required: true, description: 'Which note.', schema: { type: 'string', minLength: 3 } },
      {
        name: 'limit',
        in: 'query',
        required: false,
        schema: { type: 'integer', minimum: 1, maximum: 50, default: 20 },
      },
    ]);
    expect(made?.requestBody?.content['application/json']?.schema).to.deep.include({
      required: ['text'],
      additionalProperties: false,
    });
    expect(made?.security).to.deep.equal([{ accessToken: ['account:write'] }, { browserSession: [], csrfToken: [] }]);
    expect(Object.keys(made?.responses ?? {})).to.have.members([
      '200',
      '204',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '429',
      '503',
    ]);
    expect(made?.responses['409']?.description).to.equal('There is such a note.');
    expect(made?.responses['204']?.content).to.equal(undefined);
    expect(own.components.schemas.Note).to.deep.include({ type: 'object', required: ['id', 'text'] });
    expect(own.components.schemas.Note, 'answers may gain fields').to.not.have.property('additionalProperties');
    const open = createOpenApiDocument(issuer, [{ ...everything, access: openToAll }]);
    expect(open.paths['/api/v1/notes/{id}']?.post?.security).to.deep.equal([]);
  });

  it('names types in words', () => {
    const components: Record<string, JsonSchema> = {};
    const schema = toJsonSchema(
      z.object({
        at: z.iso.datetime(),
        list: z.array(note),
        kind: z.enum(['a', 'b']),
        any: z.unknown(),
        maybe: z.string().nullable(),
      }),
      'input',
      components,
    );
    const types = Object.fromEntries(fieldsOf(schema, components).map(({ name, type }) => [name, type]));
    expect(types).to.deep.equal({
      at: 'string (date-time)',
      list: 'list of Note',
      kind: 'one of "a", "b"',
      any: 'anything',
      maybe: 'string or null',
    });
    expect(typeText({ const: 'x' })).to.equal('"x"');
    expect(() => fieldsOf({ $ref: '#/components/schemas/Nothing' }, components)).to.throw(RangeError);
  });

  it('is all on the docs page, with commands that a shell can run', async () => {
    const page = await new WebClient(server.url).open('/api/docs');
    expect([page.status, page.name]).to.deep.equal([200, 'api-docs']);
    const text = decode(page.text);
    for (const [path, item] of Object.entries(document.paths)) {
      for (const { summary, parameters = [], responses } of Object.values(item)) {
        expect(text).to.include(summary).and.include(`<code>${path}</code>`);
        for (const { name } of parameters) expect(text).to.include(`<code>${name}</code>`);
        for (const status of Object.keys(responses)) expect(text).to.include(`>${status}<`);
      }
    }
    for (const scope of ['account:read', 'account:write']) expect(text).to.include(`<code>${scope}</code>`);
    for (const [, target = ''] of text.matchAll(/href="#([^"]+)"/g)) expect(text).to.include(`id="${target}"`);
    expect(page.text, 'nothing comes from elsewhere').to.not.match(/(?:src|href)="(?:https?:)?\/\//);

    const discovery = /<pre[^>]*id="curl-discover"[^>]*>([\s\S]*?)<\/pre>/.exec(text)?.[1] ?? '';
    const { execFileSync } = await import('node:child_process');
    expect(execFileSync('sh', ['-c', `set -- ${discovery.replace(/^curl /, '')}; printf %s "$1"`]).toString()).to.equal(
      `${server.url}/.well-known/openid-configuration`,
    );
    expect(text).to.include(`curl "${server.url}/api/v1/me/sessions/$ID" \\\n  -X DELETE`);
    expect(text).to.include('-H "If-Match: $IF_MATCH"').and.include('/api/v1/me/apps/$CLIENT_ID"');
  });
});
