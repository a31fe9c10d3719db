import type { z } from 'zod';
import type { Account } from '../../accounts/index.ts';
import type { Caller } from '../../oidc/index.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { RequestMeta } from '../request-meta.ts';
import type { ApiScopeName } from './resource.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** A person, calling through an app that may do so for them. */
export interface PersonCaller extends Caller {
  readonly account: Account;
}

interface Callers {
  readonly open: undefined;
  readonly person: PersonCaller;
}

/** Who may call: anybody, or a person whose app was granted `scope`. */
export interface Access<Kind extends keyof Callers = keyof Callers> {
  readonly kind: Kind;
  readonly scope?: ApiScopeName;
}

export const openToAll: Access<'open'> = { kind: 'open' };
export const person = (scope: ApiScopeName): Access<'person'> => ({ kind: 'person', scope });

/** One kind of success. Without a schema the answer has no body. */
export interface Reply {
  readonly description: string;
  readonly body?: z.ZodType;
  /** A whole answer for the docs; a test holds it against the schema. */
  readonly example?: unknown;
  /** Headers by name, and what they say. */
  readonly headers?: Readonly<Record<string, string>>;
}

type Replies = Readonly<Record<number, Reply>>;
type BodyOf<One> = One extends { readonly body: infer Schema extends z.ZodType } ? z.input<Schema> : undefined;
/** What a handler returns: one of its replies, with a body that fits. */
type Answer<Given extends Replies> = {
  [Status in keyof Given]: {
    readonly status: Status;
    readonly headers?: Readonly<Record<string, string>>;
  } & (BodyOf<Given[Status]> extends undefined
    ? { readonly body?: undefined }
    : { readonly body: BodyOf<Given[Status]> });
}[keyof Given];

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

interface Handled<Kind extends keyof Callers, Params, Query, Body> {
  readonly caller: Callers[Kind];
  readonly params: Parsed<Params>;
  readonly query: Parsed<Query>;
  readonly body: Parsed<Body>;
  readonly meta: RequestMeta;
}

interface Description {
  readonly method: Method;
  /** Below the API's own path; parameters in braces, as OpenAPI writes them. */
  readonly path: `/${string}`;
  /** Name of the operation in generated clients. */
  readonly id: string;
  /** Group in the docs. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Ways that the handler itself may refuse, beside those that its inputs and access imply. */
  readonly refusals?: Partial<Readonly<Record<ErrorCode, string>>>;
  /** A body to show in the docs. */
  readonly example?: unknown;
}

interface Spec<Kind extends keyof Callers, Params, Query, Body, Given extends Replies> extends Description {
  readonly access: Access<Kind>;
  /** Objects of strings; `z.coerce` or a transform makes them what the handler wants. */
  readonly params?: Params;
  readonly query?: Query;
  /** JSON. Unknown fields are refused when the schema is strict, which it should be. */
  readonly body?: Body;
  readonly replies: Given;
  handler(input: Handled<Kind, Params, Query, Body>): Promise<Answer<Given>>;
}

/** An operation as the frame runs it and the docs describe it. */
export interface Operation extends Description {
  readonly access: Access;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly replies: Replies;
  handler(input: {
    readonly caller: unknown;
    readonly params: unknown;
    readonly query: unknown;
    readonly body: unknown;
    readonly meta: RequestMeta;
  }): Promise<{
    readonly status: number;
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
  }>;
}

/**
 * Describes one operation. What it accepts and what it answers are checked against its schemas, and the OpenAPI
 * document is made from the same ones, so none can promise what another does not keep.
 */
export const operation = <
  Kind extends keyof Callers,
  const Given extends Replies,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  spec: Spec<Kind, Params, Query, Body, Given>,
): Operation => spec as unknown as Operation;
