import type { Context } from 'koa';
import { z } from 'zod';
import type { Client, Clients } from '../../clients/index.ts';
import type { ClientProof, ProtocolAnswer, ProtocolCalls } from '../../oidc/index.ts';
import { AppError } from '../../shared/errors.ts';

/** How a client proves itself in JSON, when not by the Authorization header. */
export const clientFields = {
  client_id: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'The app. Not needed with the Authorization header.' }),
  client_secret: z.string().max(500).optional().meta({ description: 'With `client_secret_post`.' }),
  client_assertion_type: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'With `private_key_jwt`: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.' }),
  client_assertion: z
    .string()
    .max(10_000)
    .optional()
    .meta({ description: 'With `private_key_jwt`: a JWT of the client, used once (RFC 7523).' }),
};

const names = Object.keys(clientFields) as (keyof typeof clientFields)[];

/** What a request says of its client. */
export function proofOf(ctx: Context, body: Readonly<Record<string, unknown>>): ClientProof {
  const fields = Object.fromEntries(
    names.flatMap((name) => (typeof body[name] === 'string' ? [[name, body[name]]] : [])),
  );
  return { authorization: ctx.get('Authorization') || undefined, fields };
}

interface ClientNeeds {
  readonly calls: ProtocolCalls;
  readonly clients: Pick<Clients, 'find'>;
}

const textOf = ({ body }: ProtocolAnswer, otherwise: string): string =>
  typeof body.error_description === 'string' ? `${body.error_description}.` : otherwise;

/** RFC 9110 §15.5.2 wants one with every 401. `Basic` would make browsers ask for a password. */
const bearerChallenge = 'Bearer realm="sallyport"';

/**
 * A refusal of a protocol endpoint in the words of the API. @throws Error for an answer that is no refusal of ours.
 * @param grant what to say when what the client presented is not good
 */
export function refusalOf(ctx: Context, answer: ProtocolAnswer, grant: string): AppError {
  const { status, body, retryAfter, challenge } = answer;
  if (status === 429) {
    return new AppError('rate_limited', textOf(answer, 'Too many requests.'), { retryAfter: retryAfter ?? 60 });
  }
  if (status === 401 || body.error === 'invalid_client') {
    ctx.set('WWW-Authenticate', challenge ?? bearerChallenge);
    return new AppError('unauthenticated', 'The client is not who it says.', { reason: textOf(answer, '') });
  }
  if (body.error === 'invalid_grant') return unproven(ctx, grant);
  if (status >= 400 && status < 500) return new AppError('invalid_input', textOf(answer, 'The request is malformed.'));
  throw new Error(`A protocol endpoint answered ${status} ${String(body.error)}.`);
}

/** 401 for a person or a token, with the challenge that RFC 9110 §15.5.2 wants. */
export function unproven(ctx: Context, text: string, fields?: Readonly<Record<string, string>>): AppError {
  ctx.set('WWW-Authenticate', bearerChallenge);
  return new AppError('unauthenticated', text, fields ? { fields } : {});
}

/** Where its pages are. */
const originsOf = ({ metadata }: Client): string[] =>
  metadata.redirect_uris.flatMap((uri) => (/^https?:/.test(uri) ? [new URL(uri).origin] : []));

/**
 * Whether a page calls that is none of the client's (Fetch §3.2: browsers send `Origin` with every POST, apps do not).
 * Any page could try passwords with the addresses of its visitors otherwise.
 */
export function isForeignPage(ctx: Context, client: Client): boolean {
  const origin = ctx.get('Origin');
  return origin !== '' && !originsOf(client).includes(origin);
}

/** What is said to it. */
export const foreignPage = 'A page of this origin may not sign people in for this client';

/**
 * The client of this request, proven as at the token endpoint, when an operator marked it for direct sign-in.
 * @throws AppError `unauthenticated`, `forbidden`, `invalid_input`.
 */
export async function directClient({ calls, clients }: ClientNeeds, ctx: Context, proof: ClientProof): Promise<Client> {
  const answer = await calls.authenticate(ctx, proof);
  if (answer.status !== 200) throw refusalOf(ctx, answer, '');
  const client = await clients.find(answer.clientId ?? '');
  if (!client?.directSignIn) {
    throw new AppError('forbidden', 'This client may not sign people in by itself. An operator can allow it.');
  }
  if (isForeignPage(ctx, client)) throw new AppError('forbidden', `${foreignPage}.`);
  return client;
}
