/** Why a token is not good enough. */
export const reasonCodes = ['inactive', 'audience', 'scope', 'permission', 'acr', 'max_age', 'proof'] as const;

export interface Reason {
  readonly code: (typeof reasonCodes)[number];
  readonly text: string;
  readonly missing?: readonly string[];
}

/** What is known of an active token. */
export interface TokenFacts {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly audiences: readonly string[];
  readonly scopes: readonly string[];
  readonly permissions: readonly string[];
}

/** What a service wants of a token. */
export interface Question {
  readonly audience?: string | undefined;
  readonly scopes: readonly string[];
  readonly permissions: readonly string[];
  readonly acr?: 'aal1' | 'aal2' | undefined;
  /** Seconds. */
  readonly max_age?: number | undefined;
  /** Of the key whose proof the service has checked. */
  readonly jkt?: string | undefined;
}

const lacking = (wanted: readonly string[], had: readonly string[]): string[] =>
  [...new Set(wanted)].filter((one) => !had.includes(one));

const levels = ['aal1', 'aal2'];

type Check = (facts: TokenFacts, question: Question, now: number) => Reason | undefined;

const checks: readonly Check[] = [
  ({ audiences }, { audience }) =>
    audience === undefined || audiences.includes(audience)
      ? undefined
      : { code: 'audience', text: 'It is for another API.' },
  ({ scopes }, question) => {
    const missing = lacking(question.scopes, scopes);
    return missing.length === 0 ? undefined : { code: 'scope', text: 'It lacks a scope.', missing };
  },
  ({ permissions }, question) => {
    const missing = lacking(question.permissions, permissions);
    return missing.length === 0 ? undefined : { code: 'permission', text: 'It lacks a permission.', missing };
  },
  ({ claims }, { acr }) =>
    acr === undefined || levels.indexOf(String(claims.acr)) >= levels.indexOf(acr)
      ? undefined
      : { code: 'acr', text: 'The sign-in behind it was not strong enough.' },
  ({ claims }, { max_age: maxAge }, now) =>
    maxAge === undefined || (typeof claims.auth_time === 'number' && now - claims.auth_time <= maxAge)
      ? undefined
      : { code: 'max_age', text: 'The sign-in behind it is too old.' },
  ({ claims }, { jkt }) => {
    const { cnf } = claims as { cnf?: { jkt?: unknown } };
    return cnf === undefined || (jkt !== undefined && cnf.jkt === jkt)
      ? undefined
      : { code: 'proof', text: 'It is bound to a key, and no proof of that key was checked.' };
  },
];

/** Everything that speaks against a token, in the order of the codes; nothing when it is good for what is asked. */
export function judge(facts: TokenFacts | undefined, question: Question, now: number): readonly Reason[] {
  if (!facts) return [{ code: 'inactive', text: 'It is no good token, or not for this client.' }];
  return checks.flatMap((check) => check(facts, question, now) ?? []);
}

const opened: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};

/** Those of a person's claims that these scopes open (OpenID Connect Core §5.4). */
export function userClaims(
  claims: Readonly<Record<string, unknown>>,
  scopes: readonly string[],
): Readonly<Record<string, unknown>> {
  const names = new Set(scopes.flatMap((scope) => (Object.hasOwn(opened, scope) ? (opened[scope] ?? []) : [])));
  return Object.fromEntries(Object.entries(claims).filter(([name]) => names.has(name)));
}
