import type { Context } from 'koa';
import type { z } from 'zod';
import type { Account } from '../../accounts/index.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { ClientId } from '../../shared/ids.ts';
import type { RequestMeta } from '../request-meta.ts';
import type { ApiScopeName } from './resource.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** An app that was granted this and sent a token. */
export interface ByApp {
  readonly kind: 'app';
  readonly clientId: ClientId;
  /** What its token came from; a key has none. */
  readonly grantId?: string;
}

/** A page of our own origin in the browser that the person is signed in to. */
export interface ByBrowser {
  readonly kind: 'browser';
  /** Of the protocol session. */
  readonly uid: string;
  /** What `X-CSRF-Token` has to say; gives the browser the cookie that belongs to it. */
  csrfToken(): string;
  /** Signs the browser in anew, because what was issued up to then (milliseconds) was ended. */
  renew(proof: { readonly after: number } | { readonly secondFactor: 'otp' | 'hwk' | 'swk' }): Promise<void>;
}

/** A person, and what they came by. */
export interface PersonCaller {
  readonly account: Account;
  readonly by: ByApp | ByBrowser;
  readonly acr?: string;
  /** When they last proved who they are, seconds since the epoch. */
  readonly authTime?: number;
}

/** Every way to refuse that an operation can name: `unprocessable` is an `Unprocessable`, the others an `AppError`. */
export type RefusalCode = ErrorCode | 'unprocessable';

interface Callers {
  readonly open: undefined;
  readonly client: undefined;
  readonly person: PersonCaller;
}

/**
 * Who may call: anybody, a client that proves itself to the handler, or a person whose app was granted `scope` or who
 * calls from a page of ours.
 */
export interface Access<Kind extends keyof Callers = keyof Callers> {
  readonly kind: Kind;
  readonly scope?: ApiScopeName;
  /** Whether it wants a recent sign-in, with the second factor when the account has one (RFC 9470). */
  readonly recent?: boolean;
}

export const openToAll: Access<'open'> = { kind: 'open' };
export const clientsOnly: Access<'client'> = { kind: 'client' };
export const person = (scope: ApiScopeName, when?: 'recent'): Access<'person'> => ({
  kind: 'person',
  scope,
  ...(when && { recent: true }),
});

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

interface Handled<Kind extends keyof Callers, Params, Query, Headers, Body> {
  readonly caller: Callers[Kind];
  readonly params: Parsed<Params>;
  readonly query: Parsed<Query>;
  readonly headers: Parsed<Headers>;
  readonly body: Parsed<Body>;
  readonly meta: RequestMeta;
  readonly ctx: Context;
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
  readonly refusals?: Partial<Readonly<Record<RefusalCode, string>>>;
  /** A body to show in the docs. */
  readonly example?: unknown;
}

interface Spec<Kind extends keyof Callers, Params, Query, Headers, Body, Given extends Replies> extends Description {
  readonly access: Access<Kind>;
  /** What a part of the body asks of its caller beside `access`; its description says so. */
  readonly alsoNeeds?: (body: Parsed<Body>) => Access<'person'> | undefined;
  /** Objects of strings; `z.coerce` or a transform makes them what the handler wants. */
  readonly params?: Params;
  readonly query?: Query;
  /** Of the request, by the names that the docs show. Others are nobody's business here. */
  readonly headers?: Headers;
  /** JSON. Unknown fields are refused when the schema is strict, which it should be. */
  readonly body?: Body;
  readonly replies: Given;
  handler(input: Handled<Kind, Params, Query, Headers, Body>): Promise<Answer<Given>>;
}

/** An operation as the frame runs it and the docs describe it. */
export interface Operation extends Description {
  readonly access: Access;
  readonly alsoNeeds?: (body: unknown) => Access | undefined;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly replies: Replies;
  handler(input: {
    readonly caller: unknown;
    readonly params: unknown;
    readonly query: unknown;
    readonly headers: unknown;
    readonly body: unknown;
    readonly meta: RequestMeta;
    readonly ctx: Context;
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
  Headers extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  spec: Spec<Kind, Params, Query, Headers, Body, Given>,
): Operation => spec as unknown as Operation;
