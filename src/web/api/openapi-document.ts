import { toJsonSchema } from './json-schema.ts';
import type { JsonSchema, OpenApiDocument, OperationObject, ParameterObject, PathItem } from './openapi-types.ts';
import type { Operation, RefusalCode } from './operation.ts';
import { edgeResponse, problemResponse, problemSchema, problemStatus } from './problems.ts';
import { byClient } from './protocol-parts.ts';
import { protocolPaths, protocolTags } from './protocol-paths.ts';
import { protocolSchemas, securitySchemes } from './protocol-schemas.ts';
import { apiPath } from './resource.ts';

export type { OpenApiDocument } from './openapi-types.ts';

/** Groups of our own operations, in the order of the docs. */
const apiTags = [
  {
    name: 'Account',
    description: 'What people do with their own account, through an app, a script or a page of ours.',
  },
  { name: 'Password and second factor', description: 'How somebody proves who they are.' },
  { name: 'Passkeys', description: 'Keys on the devices of a person that stand for both doors.' },
  { name: 'Sessions and apps', description: 'Where somebody is signed in, what they allowed, and what was done.' },
  { name: 'Your data', description: 'Everything that is stored about a person, to take along or to delete.' },
  {
    name: 'Direct sign-in',
    description: 'For apps of the house that an operator marked for it: they take the password themselves.',
  },
  { name: 'Registration', description: 'How accounts begin and are recovered, for an app that draws its own forms.' },
];

/** By token, or by the browser's own session; a change by the latter needs its token too. */
function securityOf({ access: { kind, scope }, method }: Operation): OperationObject['security'] {
  if (kind === 'open') return [];
  if (kind === 'client') return byClient;
  const browser = method === 'get' ? { browserSession: [] } : { browserSession: [], csrfToken: [] };
  return [{ accessToken: scope === undefined ? [] : [scope] }, browser];
}

const introduction =
  'Sallyport signs people in and issues tokens. The protocol endpoints are OAuth 2.1 and OpenID Connect: use any ' +
  'certified library for them, it reads the discovery document. The JSON API takes access tokens that were issued ' +
  `for it: name the resource \`{issuer}${apiPath}\` in the authorization and token requests (RFC 8707).`;

type Components = Record<string, JsonSchema>;

function parametersOf(operation: Operation, components: Components): ParameterObject[] {
  const schemas = { path: operation.params, query: operation.query, header: operation.headers };
  return (['path', 'query', 'header'] as const).flatMap((place) => {
    const schema = schemas[place];
    const { properties = {}, required = [] } = schema ? toJsonSchema(schema, 'input', components) : {};
    return Object.entries(properties).map(([name, { description, ...rest }]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description !== undefined && { description }),
      schema: rest,
    }));
  });
}

/** The refusals that an operation's inputs and access imply, and those that it names itself. */
function refusalsOf({ access, params, refusals = {} }: Operation): [RefusalCode, string | undefined][] {
  const implied = new Map<RefusalCode, string | undefined>([['invalid_input', undefined]]);
  if (access.kind !== 'open') implied.set('unauthenticated', undefined).set('forbidden', undefined);
  if (access.kind === 'client')
    implied.set('unprocessable', 'How the client proves itself, or a value, is not accepted.');
  if (params) implied.set('not_found', undefined);
  implied.set('rate_limited', undefined).set('unavailable', undefined);
  for (const [code, text] of Object.entries(refusals)) implied.set(code as RefusalCode, text);
  return [...implied];
}

function responsesOf(operation: Operation, components: Components): OperationObject['responses'] {
  const replies = Object.entries(operation.replies).map(([status, { description, body, example, headers = {} }]) => [
    status,
    {
      description,
      ...(Object.keys(headers).length > 0 && {
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, about]) => [name, { description: about, schema: { type: 'string' } }]),
        ),
      }),
      ...(body && {
        content: {
          'application/json': {
            schema: toJsonSchema(body, 'output', components),
            ...(example !== undefined && { example }),
          },
        },
      }),
    },
  ]);
  const problems = refusalsOf(operation).map(([code, text]) => [problemStatus(code), problemResponse(code, text)]);
  const edge = operation.body ? ([413, 415] as const).map((status) => [status, edgeResponse(status)]) : [];
  return Object.fromEntries([...replies, ...problems, ...edge]);
}

const recent = 'It wants a recent sign-in, with the second factor when the account has one.';

function describe(operation: Operation, components: Components): OperationObject {
  const { id, tag, summary, access, body, example } = operation;
  const about = [operation.description, access.recent && recent].filter((text) => typeof text === 'string').join(' ');
  const parameters = parametersOf(operation, components);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(about !== '' && { description: about }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: toJsonSchema(body, 'input', components),
            ...(example !== undefined && { example }),
          },
        },
      },
    }),
    responses: responsesOf(operation, components),
    security: securityOf(operation),
  };
}

/** Builds the OpenAPI 3.1 document: our operations from their schemas, the protocol endpoints as they are written down. */
export function createOpenApiDocument(issuer: string, operations: readonly Operation[]): OpenApiDocument {
  const components: Components = { ...protocolSchemas, Problem: problemSchema };
  const paths: Record<string, PathItem> = {};
  for (const operation of operations) {
    const path = `${apiPath}${operation.path}`;
    paths[path] = { ...paths[path], [operation.method]: describe(operation, components) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sallyport', version: '1', description: introduction.replace('{issuer}', issuer) },
    servers: [{ url: issuer }],
    tags: [...apiTags, ...protocolTags],
    paths: { ...paths, ...protocolPaths },
    components: { schemas: components, securitySchemes: securitySchemes(issuer) },
  };
}
