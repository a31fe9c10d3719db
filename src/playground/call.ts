import type * as client from 'openid-client';
import type { Clock } from '../shared/clock.ts';
import { type Exchange, record } from './exchange.ts';
import { explainProblem } from './explain-problem.ts';
import type { PlaygroundClients } from './options.ts';
import type { RelyingParty } from './relying-party.ts';
import type { Call, TokenSet } from './run.ts';

/** What the flows need; one for the whole playground. */
export interface FlowContext {
  readonly party: RelyingParty;
  readonly clients: PlaygroundClients;
  readonly clock: Clock;
}

/** The tokens of an answer of the token endpoint. */
export function tokenSetOf(answer: client.TokenEndpointResponse, receivedAt: number): TokenSet {
  return {
    accessToken: answer.access_token,
    tokenType: answer.token_type,
    receivedAt,
    ...(answer.expires_in !== undefined && { expiresAt: receivedAt + answer.expires_in * 1000 }),
    ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
    ...(answer.id_token !== undefined && { idToken: answer.id_token }),
    ...(answer.scope !== undefined && { scope: answer.scope }),
  };
}

/** Does something at the server and describes it, whether it went well or not. */
export async function call(title: string, code: string, work: () => Promise<string | undefined>): Promise<Call> {
  const exchanges: Exchange[] = [];
  try {
    const note = await record(exchanges, work);
    return { title, code, exchanges, ...(note !== undefined && { note }) };
  } catch (error) {
    return { title, code, exchanges, problem: explainProblem(error) };
  }
}
