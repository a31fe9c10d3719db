import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import { noteAuditSession } from '../audit/index.ts';
import type { Client } from '../clients/index.ts';
import { asAccountId } from '../shared/ids.ts';
import { satisfies } from './authentication-context.ts';
import type { OidcDomains } from './domains.ts';
import { checkDpopReplay, type DpopProof, readDpopProof } from './provider-internals.ts';
import { type Exchange, type ExchangeNeeds, issueExchanged } from './token-exchange-issue.ts';
import { type ExchangeActor, mayAct, narrowScopes, nextAct } from './token-exchange-policy.ts';
import {
  accessTokenType,
  type ExchangeParams,
  type ExchangeRequest,
  exchangeGrant,
  exchangeParameters,
  readExchange,
} from './token-exchange-request.ts';
import type { ExchangeRight } from './token-exchange-rights.ts';
import { findPresented, isItsBusiness, type PresentedToken } from './token-exchange-subject.ts';

type Context = TokenEndpointGrantContext<ExchangeParams>;

/** One text for whatever is no good token for this client, so that nobody learns which tokens there are. */
const badToken = (name: string): Error =>
  new errors.InvalidRequest(`'${name}' is no access token that this client may exchange, or not any more`);

async function findClient({ clients }: OidcDomains, ctx: Context): Promise<Client> {
  const client = await clients.find(ctx.oidc.client.clientId);
  const proves = ctx.oidc.client.clientAuthMethod !== 'none';
  if (!client || client.disabled || !proves) throw new errors.UnauthorizedClient('this client may not exchange tokens');
  return client;
}

async function findRights({ exchangeRights }: OidcDomains, client: Client): Promise<readonly ExchangeRight[]> {
  const rights = await exchangeRights.list(client.id);
  if (rights.length === 0) throw new errors.UnauthorizedClient('this client may not exchange tokens');
  return rights;
}

/** The API that the new token is for, and what it may have there. */
async function findTarget(domains: OidcDomains, rights: readonly ExchangeRight[], target: string) {
  const right = rights.find((one) => one.target === target);
  const api = right && (await domains.apis.find(target));
  if (!right || !api) throw new errors.InvalidTarget('this client may not exchange tokens for that API');
  return { right, api };
}

async function findSubject(
  needs: ExchangeNeeds,
  client: Client,
  { subject }: ExchangeRequest,
): Promise<PresentedToken> {
  const found = await findPresented(needs, subject);
  if (!found || !isItsBusiness(client, found)) throw badToken('subject_token');
  return found;
}

/** Whoever acts: the client, or somebody whose own token it has. That one may not be acted for already. */
async function findActor(needs: ExchangeNeeds, client: Client, { actor }: ExchangeRequest): Promise<ExchangeActor> {
  if (actor === undefined) return { sub: client.id, clientId: client.id };
  const found = await findPresented(needs, actor);
  const isOwn = found?.clientId === client.id && found.claims.act === undefined && found.jkt === undefined;
  if (!found || !isOwn) throw badToken('actor_token');
  return { sub: found.sub, clientId: client.id };
}

/** The caller's proof. A token that is bound to a key is exchanged for one that is bound too, never for a bearer token. */
async function findProof(
  provider: Provider,
  ctx: Context,
  client: Client,
  subject: PresentedToken,
): Promise<DpopProof | undefined> {
  const proof = await readDpopProof(provider, ctx);
  if (subject.jkt !== undefined && !proof) {
    throw new errors.InvalidRequest("'subject_token' is bound to a key, so the request needs a DPoP proof");
  }
  if (subject.jkt !== undefined && subject.clientId === client.id && proof?.thumbprint !== subject.jkt) {
    throw new errors.InvalidRequest("the DPoP proof is not of the key that 'subject_token' is bound to");
  }
  if (proof) await checkDpopReplay(provider, ctx, proof, client.id, errors.InvalidRequest);
  return proof;
}

async function mayImpersonate({ accounts }: OidcDomains, { accountId }: PresentedToken): Promise<boolean> {
  const account = accountId === undefined ? undefined : await accounts.find(asAccountId(accountId));
  // Whoever could be an administrator for a moment could be one for good.
  return account !== undefined && !account.roles.includes('admin');
}

function checkSubject(exchange: Omit<Exchange, 'scopes' | 'act' | 'proof'>, issuer: string): void {
  const { subject, actor, api } = exchange;
  if (!mayAct(subject.claims.may_act, actor, issuer)) {
    throw new errors.InvalidRequest("'may_act' in 'subject_token' names somebody else");
  }
  const acr = typeof subject.claims.acr === 'string' ? subject.claims.acr : undefined;
  if (api.requireSecondFactor && subject.accountId !== undefined && !satisfies(acr, 'aal2')) {
    throw new errors.InvalidTarget('that API needs a sign-in with the second factor');
  }
}

/** The actors of the new token; undefined for an impersonation. */
async function findAct(domains: OidcDomains, exchange: Pick<Exchange, 'subject' | 'actor' | 'right'>) {
  const { subject, actor, right } = exchange;
  const act = nextAct(subject.claims.act, actor);
  if (!act) throw new errors.InvalidRequest("'subject_token' went through too many hands, or through these before");
  if (right.mode === 'delegation') return act;
  // What others did is not made nobody's doing.
  if (subject.claims.act !== undefined || !(await mayImpersonate(domains, subject))) throw badToken('subject_token');
  return undefined;
}

async function prepare(needs: ExchangeNeeds, ctx: Context): Promise<Exchange> {
  const { provider, domains, settings } = needs;
  const client = await findClient(domains, ctx);
  const rights = await findRights(domains, client);
  const request = readExchange(ctx.oidc.params);
  const { right, api } = await findTarget(domains, rights, request.target);
  const subject = await findSubject(needs, client, request);
  const actor = await findActor(needs, client, request);
  const known = { client, subject, actor, right, api };
  checkSubject(known, settings.issuer);
  const act = await findAct(domains, known);
  const limits = { subject: subject.scopes, right: right.scopes, api: api.scopes.map(({ name }) => name) };
  const scopes = narrowScopes(request.scopes, limits);
  if (!scopes) {
    const asked = request.scopes?.join(' ');
    throw new errors.InvalidScope('the new token cannot have that scope', asked as never);
  }
  return { ...known, act, scopes, proof: await findProof(provider, ctx, client, subject) };
}

async function record({ domains }: ExchangeNeeds, ctx: Context, exchange: Exchange): Promise<void> {
  const { client, subject, actor, right, api, scopes, act } = exchange;
  const { ip, requestId } = ctx.state ?? {};
  const { accountId, grantId } = subject;
  if (accountId !== undefined && grantId !== undefined) {
    noteAuditSession(await domains.sessions.handleOf({ accountId: asAccountId(accountId), grantId }));
  }
  await domains.audit.record({
    type: right.mode === 'impersonation' ? 'token.impersonated' : 'token.exchanged',
    actor: { kind: 'client', id: client.id },
    outcome: 'success',
    subject: subject.sub,
    clientId: client.id,
    ...(typeof ip === 'string' && { ip }),
    ...(typeof requestId === 'string' && { requestId }),
    details: {
      audience: api.identifier,
      scopes,
      from: subject.clientId,
      ...(actor.sub !== client.id && { actor: actor.sub }),
      ...(act === undefined && { impersonation: true }),
    },
  });
}

/**
 * Lets clients that an operator allowed exchange an access token for one of another API, with less scope and no longer
 * life (RFC 8693). Any client may name the grant, so that the answer to one that may not is `unauthorized_client`.
 */
export function registerTokenExchange(needs: ExchangeNeeds): void {
  const { provider } = needs;
  const model = provider.Client.prototype as { grantTypeAllowed(type: string): boolean };
  const allowed = model.grantTypeAllowed;
  model.grantTypeAllowed = function grantTypeAllowed(type) {
    return type === exchangeGrant || allowed.call(this, type);
  };
  provider.registerGrantType<ExchangeParams>(
    exchangeGrant,
    async (ctx) => {
      const exchange = await prepare(needs, ctx);
      const token = await issueExchanged(needs, exchange);
      ctx.oidc.entity('AccessToken', token.model);
      await record(needs, ctx, exchange);
      ctx.body = {
        access_token: token.value,
        issued_token_type: accessTokenType,
        token_type: token.model.tokenType,
        expires_in: token.model.expiration,
        scope: exchange.scopes.join(' '),
      };
    },
    [...exchangeParameters],
    ['resource', 'audience'],
  );
}
