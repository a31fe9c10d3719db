import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Client } from '../clients/index.ts';
import {
  isActive,
  judgeToken,
  type Reason,
  type RefusalLimit,
  readRequirement,
  type TokenFacts,
} from '../forward-auth/index.ts';
import { AppError } from '../shared/errors.ts';
import type { CallFacts, Frame } from './call-frame.ts';
import { toTokenInfo } from './token-info.ts';

interface Needs {
  readonly frame: Frame;
  /** Introspection with the rights of that client. */
  readonly ask: (asker: Client, token: string) => Promise<TokenFacts>;
  /** Bounds the tokens that a client asks about in vain. */
  readonly refusals: RefusalLimit;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

interface VerifyRequest {
  readonly token: string;
  readonly audience: string;
  readonly scopes: readonly string[];
  readonly permissions: readonly string[];
  readonly acr: string;
  readonly maxAge: number;
  readonly keyThumbprint: string;
}

const longestBatch = 100;
/** Questions of one batch at the same time: a batch must not take every connection to the database. */
const atOnce = 8;

const reasonName = (reason: Reason): string => `REASON_${reason.toUpperCase()}`;

function requirementOf(request: VerifyRequest) {
  const { audience, acr, maxAge } = request;
  const lists = (['scopes', 'permissions'] as const).map((name) => [name, request[name].join(' ')] as const);
  if (audience === '') throw new AppError('invalid_input', 'Give your own identifier as audience.');
  // A list with an empty entry, or one with a space in it, asks for something else than it seems to.
  for (const name of ['scopes', 'permissions'] as const) {
    if (request[name].some((one) => /^$|[ ,]/.test(one)))
      throw new AppError('invalid_input', `${name} cannot be read.`);
  }
  return readRequirement([
    ['audience', audience],
    ...lists.filter(([, value]) => value !== ''),
    ...(acr === '' ? [] : [['acr', acr] as const]),
    ...(maxAge === 0 ? [] : [['max_age', String(maxAge).padStart(2, '0')] as const]),
  ]);
}

/** `sallyport.v1.TokenService`. */
export function createTokenService({ frame, now, ...needs }: Needs): UntypedServiceImplementation {
  const ask = (caller: Client, token: string): Promise<TokenFacts> =>
    needs.refusals.ask({ by: caller.id, credential: token }, () => needs.ask(caller, token), isActive);

  const verify = async (request: VerifyRequest, caller: Client) => {
    const wanted = requirementOf(request);
    const facts = request.token === '' ? { active: false } : await ask(caller, request.token);
    const { keyThumbprint } = request;
    const reasons = judgeToken(facts, wanted, now(), keyThumbprint === '' ? {} : { provenKey: keyThumbprint });
    return { allowed: reasons.length === 0, reasons: reasons.map(reasonName), token: toTokenInfo(facts) };
  };

  const batch = async ({ requests }: { readonly requests: readonly VerifyRequest[] }, facts: CallFacts) => {
    if (requests.length > longestBatch) {
      throw new AppError('invalid_input', `Ask ${longestBatch} questions at once at most.`);
    }
    requests.forEach(requirementOf);
    const responses: Awaited<ReturnType<typeof verify>>[] = [];
    for (let at = 0; at < requests.length && !facts.isOver(); at += atOnce) {
      const some = requests.slice(at, at + atOnce).map((request) => verify(request, facts.caller));
      responses.push(...(await Promise.all(some)));
    }
    return { responses };
  };

  const introspect = async ({ token }: { readonly token: string }, { caller }: CallFacts) =>
    toTokenInfo(token === '' ? { active: false } : await ask(caller, token));

  return {
    introspect: frame(introspect),
    verify: frame((request: VerifyRequest, { caller }) => verify(request, caller)),
    batch: frame(batch),
  };
}
