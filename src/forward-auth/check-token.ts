import { epochSeconds } from '../shared/clock.ts';
import { asAccountId } from '../shared/ids.ts';
import type { Answer } from './answer.ts';
import { challengeFor } from './challenge.ts';
import { identityHeaders } from './identity-headers.ts';
import { judgeToken, listOf, type Reason, type TokenFacts } from './judge-token.ts';
import { credentialOf, type OriginalRequest } from './original-request.ts';
import type { AskToken, ForwardAuthParts } from './parts.ts';
import { personOf } from './person.ts';
import type { Requirement } from './requirement.ts';

const texts: Readonly<Record<Reason | 'none' | 'unclear', string>> = {
  none: 'This needs an access token.',
  unclear: 'The Authorization header cannot be read.',
  inactive: 'The access token is not good, or not any more.',
  not_an_access_token: 'This is not an access token.',
  bound_to_a_key: 'The access token is bound to a key, which a proxy cannot check.',
  wrong_audience: 'The access token is for another API.',
  insufficient_scope: 'The access token does not reach this far.',
  insufficient_permissions: 'The access token does not reach this far.',
  insufficient_authentication: 'This needs a stronger or more recent sign-in.',
};

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

async function identityOf({ accounts }: ForwardAuthParts, facts: TokenFacts, requestId: string) {
  const client = text(facts.client_id) ?? '';
  const sub = text(facts.sub);
  // A program's `sub` is its client id (RFC 9068 §2.2); the two kinds of id never coincide.
  const user = sub === client ? undefined : sub;
  const scopes = listOf(facts.scope);
  const account = user === undefined ? undefined : await accounts.find(asAccountId(user));
  return { user, ...personOf(account, scopes), client, scopes, acr: text(facts.acr), requestId };
}

/** Decides by the access token that a request carries. */
export async function checkToken(
  parts: ForwardAuthParts,
  request: OriginalRequest,
  wanted: Requirement,
  ask: AskToken,
): Promise<Answer> {
  const credential = credentialOf(request);
  const facts = credential.kind === 'bearer' ? await ask(credential.token) : undefined;
  if (facts === undefined) {
    const unclear = credential.kind === 'unclear';
    const { status, challenge } = challengeFor(unclear ? 'inactive' : undefined, wanted);
    return { outcome: 'refuse', status, challenge, reason: credential.kind, text: texts[unclear ? 'unclear' : 'none'] };
  }
  const [reason] = judgeToken(facts, wanted, epochSeconds(parts.clock));
  const client = text(facts.client_id);
  if (reason !== undefined) {
    const refusal = { ...challengeFor(reason, wanted), reason, text: texts[reason] };
    return { outcome: 'refuse', ...refusal, ...(client !== undefined && { client }) };
  }
  const identity = await identityOf(parts, facts, request.requestId);
  return { outcome: 'allow', headers: identityHeaders(identity), client: identity.client };
}
