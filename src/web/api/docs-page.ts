import type { ApiDocsPage, ApiField } from '../console-models.ts';
import { curlFor } from './curl.ts';
import type { MediaType, OpenApiDocument, OperationObject, ParameterObject, ResponseObject } from './openapi-types.ts';
import { problems } from './problems.ts';
import { apiScopes } from './resource.ts';
import { fieldsOf, type Schemas, typeText } from './schema-fields.ts';

type Group = ApiDocsPage['groups'][number];
type Shown = Group['operations'][number];

/** Operation ids and tags as fragments of an address. */
const anchor = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

function accessText({ security }: OperationObject): string {
  const [first] = security;
  if (!first) return 'Anybody may call this.';
  const scopes = first.accessToken;
  const browser = security.some((one) => 'browserSession' in one) ? ' Or a page of this origin, by its session.' : '';
  if (scopes) return `An access token with the scope ${scopes.map((name) => `\`${name}\``).join(' and ')}.${browser}`;
  return 'The client itself, with its secret or assertion; a client without one sends `client_id`.';
}

const parameterField = ({ name, in: place, required, description = '', schema }: ParameterObject): ApiField => ({
  name,
  type: typeText(schema),
  required: required ?? false,
  description,
  place,
});

function firstMedia(content: Readonly<Record<string, MediaType>> | undefined): [string, MediaType] | undefined {
  return Object.entries(content ?? {})[0];
}

function showResponse(status: string, { description, content }: ResponseObject, schemas: Schemas) {
  const [type, media] = firstMedia(content) ?? [];
  // Problems are all alike; they are explained once, above.
  const fields = media && type?.endsWith('json') ? fieldsOf(media.schema, schemas) : [];
  return {
    status,
    description,
    fields: status.startsWith('2') ? fields : [],
    ...(media?.example !== undefined && { example: JSON.stringify(media.example, null, 2) }),
  };
}

function showOperation(document: OpenApiDocument, path: string, method: string, operation: OperationObject): Shown {
  const { schemas } = document.components;
  const [bodyType, body] = firstMedia(operation.requestBody?.content) ?? [];
  return {
    id: anchor(operation.operationId),
    method: method.toUpperCase(),
    path,
    summary: operation.summary,
    description: operation.description ?? '',
    access: accessText(operation),
    parameters: (operation.parameters ?? []).map(parameterField),
    ...(bodyType !== undefined && body && { body: { type: bodyType, fields: fieldsOf(body.schema, schemas) } }),
    responses: Object.entries(operation.responses).map(([status, response]) => showResponse(status, response, schemas)),
    curl: curlFor(document.servers[0]?.url ?? '', path, method, operation),
  };
}

function groupsOf(document: OpenApiDocument): Group[] {
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  return document.tags.map(({ name, description }) => ({
    id: anchor(name),
    name,
    description,
    operations: all
      .filter(({ operation }) => operation.tags.includes(name))
      .map(({ path, method, operation }) => showOperation(document, path, method, operation)),
  }));
}

/** The docs page, made from the OpenAPI document alone, so that both always say the same. */
export function describeDocument(document: OpenApiDocument, documentUrl: string): ApiDocsPage {
  const groups = groupsOf(document);
  return {
    shell: {
      area: 'API docs',
      home: '/api/docs',
      groups: [
        { links: [{ href: '#start', label: 'Start here', icon: 'document' }] },
        ...groups.map(({ name, operations }) => ({
          label: name,
          links: operations.map(({ id, summary }) => ({ href: `#${id}`, label: summary })),
        })),
      ],
    },
    title: 'API docs',
    introduction: [document.info.description],
    documentUrl,
    scopes: Object.entries(apiScopes).map(([name, description]) => ({ name, description })),
    problems: problems.map(({ status, title, description }) => ({ status: String(status), title, description })),
    groups,
  };
}
