import * as client from 'openid-client';
import { reasonOf } from '../shared/errors.ts';

/** Something that went wrong, for the person at the playground: what the server said and what it means. */
export interface Problem {
  readonly title: string;
  /** `error` of the answer (RFC 6749 §5.2), or the library's code. */
  readonly error?: string;
  /** `error_description`, as the server wrote it. */
  readonly description?: string;
  readonly advice: string;
}

const advice: Readonly<Record<string, string>> = {
  access_denied: 'The person said no, or may not use this app. Nothing was issued.',
  login_required: 'Nobody is signed in and prompt=none forbids to ask. Send the person once without prompt=none.',
  consent_required: 'The person has not agreed to these scopes yet and prompt=none forbids to ask.',
  interaction_required: 'A page is needed, for example for the second factor, and prompt=none forbids it.',
  account_selection_required: 'The person has to choose an account and prompt=none forbids to ask.',
  unmet_authentication_requirements: 'The sign-in cannot be as strong as acr_values or claims ask.',
  invalid_request: 'A parameter is missing, sent twice or malformed. The description names it.',
  invalid_scope: 'The app may not ask for this scope, or no API has it. Check the scopes of the app and the API.',
  invalid_target: 'The resource is not a registered API, or the app may not use it.',
  invalid_client: 'The app could not prove who it is: wrong secret, or another method than the one registered.',
  invalid_grant:
    'The code or refresh token is used up, expired, revoked, or belongs to another app. Start a new run; using a code or an old refresh token twice ends everything that came from it.',
  invalid_token: 'The access token is expired, revoked, or not meant for this endpoint.',
  insufficient_scope: 'The access token is good, but it does not carry the scope that this call needs.',
  unauthorized_client: 'The app is not registered for this grant type.',
  unsupported_grant_type: 'The server does not offer this grant type.',
  unsupported_response_type: 'The server only offers response_type=code.',
  invalid_dpop_proof: 'The DPoP proof was refused. It is good for one request and a few seconds.',
  use_dpop_nonce: 'The server wants its nonce in the DPoP proof. Send the request again with it.',
  authorization_pending: 'The person has not finished on the other device yet. Ask again after a few seconds.',
  slow_down: 'That was too often. Wait as long as Retry-After says; a device adds five seconds between its tries.',
  expired_token: 'The device code has expired. Start again.',
  temporarily_unavailable: 'The server is busy or cannot reach its database. Try again in a moment.',
  server_error: 'The server failed. Its log has the details under the request id of the response.',
};

/** What an `error` code of OAuth 2.0, OpenID Connect or their extensions means for an app. */
export const adviceFor = (error: string): string =>
  advice[error] ?? 'The description comes from the server. Its log has more under the request id of the response.';

const fromServer = (error: string, description: string | undefined, title: string): Problem => ({
  title,
  error,
  ...(description !== undefined && { description }),
  advice: adviceFor(error),
});

const libraryAdvice: Readonly<Record<string, string>> = {
  OAUTH_JWT_CLAIM_COMPARISON_FAILED: 'A claim of the token has not the value that this run expects.',
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'A time in the token does not fit. Compare the clocks of server and app.',
  OAUTH_INVALID_RESPONSE: 'The answer misses something that this request demands. The message says what.',
  OAUTH_TIMEOUT: 'The server did not answer in time.',
};

function unexpectedResponse(response: Response): Problem {
  const retryAfter = response.headers.get('retry-after');
  return {
    title: `The server answered ${response.status}`,
    error: `http_${response.status}`,
    advice: retryAfter
      ? `Too much at once, or a part of the server is away. Try again in ${retryAfter} seconds.`
      : 'This endpoint should not answer like that. The raw answer below says more.',
  };
}

/** Whether the issuer gave no answer at all. */
export const isUnreachable = (thrown: unknown): boolean =>
  (thrown instanceof TypeError && thrown.message === 'fetch failed') ||
  (thrown instanceof client.ClientError && thrown.code === 'OAUTH_TIMEOUT');

/** Turns whatever a call threw into a problem that a page can show. */
export function explainProblem(thrown: unknown): Problem {
  if (thrown instanceof client.AuthorizationResponseError) {
    return fromServer(thrown.error, thrown.error_description, 'The server sent the browser back with an error');
  }
  if (thrown instanceof client.ResponseBodyError) {
    return fromServer(thrown.error, thrown.error_description, 'The server refused the request');
  }
  if (thrown instanceof client.WWWAuthenticateChallengeError) {
    const { error, error_description } = thrown.cause[0]?.parameters ?? {};
    return fromServer(error ?? `http_${thrown.status}`, error_description, 'The server refused the token');
  }
  if (thrown instanceof client.ClientError && thrown.cause instanceof Response) return unexpectedResponse(thrown.cause);
  if (thrown instanceof client.ClientError && thrown.code !== 'OAUTH_TIMEOUT') {
    const code = thrown.code ?? 'unknown';
    const reason = thrown.cause instanceof Error ? `${thrown.message} (${thrown.cause.message})` : thrown.message;
    return {
      title: 'The app refused the answer',
      error: code,
      description: reason,
      advice: libraryAdvice[code] ?? 'The library checks every answer and found a fault in this one.',
    };
  }
  if (isUnreachable(thrown)) {
    return {
      title: 'The server does not answer',
      description: reasonOf(thrown),
      advice: 'Is it running, and is the issuer address right? It may still be starting: try again in a moment.',
    };
  }
  return {
    title: 'The playground failed',
    description: reasonOf(thrown),
    advice: 'This is a fault of the playground. Its log has more.',
  };
}
