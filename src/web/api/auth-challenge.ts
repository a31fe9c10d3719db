import Router from '@koa/router';
import type { Context } from 'koa';
import type { Client, Clients } from '../../clients/index.ts';
import { authorizationChallengePath, type ClientProof, type ProtocolCalls } from '../../oidc/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { AppError } from '../../shared/errors.ts';
import { metaOf } from '../request-meta.ts';
import { foreignPage, isForeignPage, proofOf } from './auth-client.ts';
import {
  type DirectParts,
  type DirectVisit,
  issueCode,
  keepDevice,
  type Progress,
  prepareSecondFactor,
  type Shown,
  tryPassword,
  trySecondFactor,
} from './auth-direct.ts';
import { longestTicket, type Ticket, type Tickets } from './auth-ticket.ts';

/** What the authorization challenge endpoint needs. */
export interface ChallengeNeeds extends DirectParts {
  readonly calls: ProtocolCalls;
  readonly clients: Pick<Clients, 'find'>;
  readonly tickets: Tickets;
  readonly clock: Clock;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly challenge?: string | undefined;
}

type Fields = Readonly<Record<string, string>>;

const refuse = (error: string, description: string, status = 400): Answer => ({
  status,
  body: { error, error_description: description },
});
const lost = refuse('invalid_session', 'The auth_session is unknown, used, too old or another client’s');

/** The form, each field once. Undefined for anything else. */
function readFields(ctx: Context): Fields | undefined {
  const fields = new URLSearchParams(String(ctx.state.body ?? ''));
  const names = [...fields.keys()];
  return new Set(names).size === names.length ? Object.fromEntries(fields) : undefined;
}

/** A session text is the client's id and what is sealed for that client, so that a public client need not say both. */
const separator = '~';

function splitSession(text: string): readonly [clientId: string, sealed: string] {
  const at = text.indexOf(separator);
  return [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
}

/** The client as the request says it; `auth_session` alone says it too (draft §5.1). */
function readProof(ctx: Context, fields: Fields): ClientProof {
  const proof = proofOf(ctx, fields);
  const { client_id: named, client_assertion: assertion } = proof.fields;
  if (named !== undefined || assertion !== undefined || proof.authorization !== undefined || !fields.auth_session) {
    return proof;
  }
  return { ...proof, fields: { ...proof.fields, client_id: splitSession(fields.auth_session)[0] } };
}

async function begin(
  { firstParty, tickets, appDevices }: ChallengeNeeds,
  client: Client,
  fields: Fields,
): Promise<Ticket | Answer> {
  const { response_type: type, code_challenge: challenge = '', code_challenge_method: method } = fields;
  if (type !== 'code') return refuse('invalid_request', 'response_type has to be code');
  if (!/^[\w-]{43}$/.test(challenge) || method !== 'S256') {
    return refuse('invalid_request', 'code_challenge with code_challenge_method S256 is needed');
  }
  const { scope = 'openid', resource, nonce, acr_values: acrValues } = fields;
  if (scope.length > 1000 || (resource?.length ?? 0) > 500 || (nonce?.length ?? 0) > 300) {
    return refuse('invalid_request', 'A parameter is too long');
  }
  try {
    const order = await firstParty.readOrder(client, { scope, resource, nonce, acrValues });
    const device = appDevices.read(client.id, fields.device_token);
    return tickets.create(order, { codeChallenge: challenge, ...(device && { device }) });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid_input') throw error;
    return refuse(error.details.fields?.resource ? 'invalid_target' : 'invalid_scope', error.message);
  }
}

function resume({ tickets }: ChallengeNeeds, client: Client, session: string): Ticket | undefined {
  const [clientId, sealed] = splitSession(session);
  if (session.length > longestTicket || clientId !== client.id) return undefined;
  return tickets.open('challenge', client.id, sealed);
}

/** The fields of a second factor, and what the answer calls them in `challenges`. */
const fieldOf = { totp: 'otp', backup_code: 'backup_code', email: 'email_code', passkey: 'passkey' } as const;

function shownBy(fields: Fields): Shown | undefined {
  for (const method of ['totp', 'backup_code', 'email'] as const) {
    const code = fields[fieldOf[method]];
    if (code !== undefined) return { method, code: code.slice(0, 100) };
  }
  return fields.passkey === undefined ? undefined : { method: 'passkey', response: fields.passkey };
}

/** Takes the step that the request has something for, or prepares the one that `challenge` names. */
async function advance(
  needs: ChallengeNeeds,
  visit: DirectVisit,
  fields: Fields,
): Promise<{ readonly progress: Progress; readonly options?: unknown }> {
  const { username, password, challenge } = fields;
  if (challenge === fieldOf.email) return prepareSecondFactor(needs, visit, 'email');
  if (challenge === fieldOf.passkey) return prepareSecondFactor(needs, visit, 'passkey');
  const shown = shownBy(fields);
  if (shown) return { progress: await trySecondFactor(needs, visit, shown) };
  if (!username || !password) return { progress: { kind: 'password', wrong: false } };
  return { progress: await tryPassword(needs, visit, { username, password }) };
}

/** Where the browser goes on: the same request, pushed for it, when the client has one address to come back to. */
async function pushed({ calls }: ChallengeNeeds, ctx: Context, proof: ClientProof, fields: Fields, visit: DirectVisit) {
  const { client, ticket } = visit;
  const { redirect_uris: registered } = client.metadata;
  const redirect = fields.redirect_uri ?? (registered.length === 1 ? registered[0] : undefined);
  const { order, codeChallenge } = ticket;
  if (redirect === undefined || codeChallenge === undefined) return {};
  const answer = await calls.push(ctx, proof, {
    client_id: client.id,
    response_type: 'code',
    redirect_uri: redirect,
    scope: [...order.identity, ...order.api].join(' '),
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    ...(order.resource !== undefined && { resource: order.resource }),
    ...(order.nonce !== undefined && { nonce: order.nonce }),
    ...(order.secondFactor && { acr_values: 'aal2' }),
  });
  const { request_uri, expires_in } = answer.body;
  return answer.status === 201 ? { request_uri, expires_in } : {};
}

const trouble = {
  wrong_code: 'The code is not right',
  used_code: 'The code was used before',
  mismatch: 'The passkey does not open this account',
} as const;

/** What the client is asked for next. */
function more({ tickets }: ChallengeNeeds, { client, ticket }: DirectVisit, progress: Progress): Answer {
  const session = `${client.id}${separator}${tickets.seal('challenge', client.id, ticket)}`;
  const ask = (description: string, challenges: readonly string[], attemptsLeft?: number): Answer => ({
    status: 403,
    body: {
      error: 'insufficient_authorization',
      error_description: description,
      auth_session: session,
      challenges,
      ...(attemptsLeft !== undefined && { attempts_left: attemptsLeft }),
    },
  });
  if (progress.kind === 'password') {
    const words = progress.wrong ? 'The name or the password is not right' : 'username and password are needed';
    return ask(words, ['password']);
  }
  if (progress.kind !== 'code') return lost;
  const words = progress.wrong === undefined ? 'A second factor is needed' : trouble[progress.wrong];
  return ask(
    words,
    progress.methods.map((method) => fieldOf[method]),
    progress.attemptsLeft,
  );
}

async function answerFor(needs: ChallengeNeeds, ctx: Context, fields: Fields): Promise<Answer> {
  const proof = readProof(ctx, fields);
  const authenticated = await needs.calls.authenticate(ctx, proof);
  if (authenticated.status !== 200) return authenticated;
  const client = await needs.clients.find(authenticated.clientId ?? '');
  if (!client?.directSignIn) return refuse('unauthorized_client', 'The client may not sign people in by itself');
  if (isForeignPage(ctx, client)) return refuse('unauthorized_client', foreignPage, 403);
  const { auth_session: session } = fields;
  const ticket = session === undefined ? await begin(needs, client, fields) : resume(needs, client, session);
  if (!ticket) return lost;
  if ('status' in ticket) return ticket;

  const visit: DirectVisit = { use: 'challenge', client, ticket, meta: metaOf(ctx) };
  const { progress, options } = await advance(needs, visit, fields);
  if (progress.kind === 'done') {
    const code = await issueCode(needs, visit, progress.finished, ticket.codeChallenge ?? '');
    if (code === undefined) return lost;
    return { status: 200, body: { authorization_code: code, ...(await keepDevice(needs, visit, progress.finished)) } };
  }
  if (progress.kind === 'pages') {
    const body = { error: 'redirect_to_web', error_description: 'This needs the sign-in pages' };
    return { status: 403, body: { ...body, ...(await pushed(needs, ctx, proof, fields, visit)) } };
  }
  if (progress.kind !== 'paused') {
    const answer = more(needs, visit, progress);
    return options === undefined ? answer : { ...answer, body: { ...answer.body, passkey_options: options } };
  }
  const retryAfter = Math.max(1, Math.ceil(((progress.retryAt ?? 0) - needs.clock.now()) / 1000));
  throw new AppError('rate_limited', 'Too many tries. Wait before the next one.', { retryAfter, reason: 'paused' });
}

/**
 * The authorization challenge endpoint of OAuth 2.0 for First-Party Applications (draft-ietf-oauth-first-party-apps-04
 * §4): a native app asks for what is needed in its own screens, and redeems the code like any other.
 */
export function createChallengeRoutes(needs: ChallengeNeeds): Router {
  const router = new Router();
  router.post('authorization-challenge', authorizationChallengePath, async (ctx: Context) => {
    const fields = readFields(ctx);
    const answer = fields
      ? await needs.calls.together(() => answerFor(needs, ctx, fields))
      : refuse('invalid_request', 'A parameter is there twice');
    ctx.status = answer.status;
    if (answer.challenge !== undefined) ctx.set('WWW-Authenticate', answer.challenge);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = answer.body;
  });
  return router;
}
