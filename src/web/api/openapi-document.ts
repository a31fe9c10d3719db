import type { ErrorCode } from '../../shared/errors.ts';
import { toJsonSchema } from './json-schema.ts';
import type { JsonSchema, OpenApiDocument, OperationObject, ParameterObject, PathItem } from './openapi-types.ts';
import type { Operation } from './operation.ts';
import { problemResponse, problemSchema, problemStatus } from './problems.ts';
import { protocolPaths, protocolTags } from './protocol-paths.ts';
import { protocolSchemas, securitySchemes } from './protocol-schemas.ts';
import { apiPath } from './resource.ts';

export type { OpenApiDocument } from './openapi-types.ts';

/** Groups of our own operations, in the order of the docs. */
const apiTags = [{ name: 'Account', description: 'What people do with their own account, through an app or script.' }];

const introduction =
  'Sallyport signs people in and issues tokens. The protocol endpoints are OAuth 2.1 and OpenID Connect: use any ' +
  'certified library for them, it reads the discovery document. The JSON API takes access tokens that were issued ' +
  `for it: name the resource \`{issuer}${apiPath}\` in the authorization and token requests (RFC 8707).`;

type Components = Record<string, JsonSchema>;

function parametersOf(operation: Operation, components: Components): ParameterObject[] {
  return (['path', 'query'] as const).flatMap((place) => {
    const schema = place === 'path' ? operation.params : operation.query;
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
function refusalsOf({ access, params, refusals = {} }: Operation): [ErrorCode, string | undefined][] {
  const implied = new Map<ErrorCode, string | undefined>([['invalid_input', undefined]]);
  if (access.kind !== 'open') implied.set('unauthenticated', undefined).set('forbidden', undefined);
  if (params) implied.set('not_found', undefined);
  implied.set('rate_limited', undefined).set('unavailable', undefined);
  for (const [code, text] of Object.entries(refusals)) implied.set(code as ErrorCode, text);
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
  return Object.fromEntries([...replies, ...problems]);
}

function describe(operation: Operation, components: Components): OperationObject {
  const { id, tag, summary, description, access, body, example } = operation;
  const parameters = parametersOf(operation, components);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
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
    security: access.kind === 'open' ? [] : [{ accessToken: access.scope === undefined ? [] : [access.scope] }],
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
