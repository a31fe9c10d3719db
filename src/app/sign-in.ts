import type { OneTimeSecrets } from '../one-time-secrets/index.ts';
import { createAnswerTime } from '../registration/index.ts';
import { createSqlAccountFacts } from '../sign-in/account-facts-sql.ts';
import { createSqlFlowStore } from '../sign-in/flow-store-sql.ts';
import { createSignIn, type SignIn, type SignInParts } from '../sign-in/index.ts';
import { createSqlThrottleStore } from '../sign-in/throttle-store-sql.ts';
import type { Database } from '../storage/database.ts';

/** Milliseconds that answers take at least which must not tell who has an account. */
const answerMilliseconds = 300;

type Needs = Omit<SignInParts, 'flows' | 'throttle' | 'facts' | 'codes' | 'links' | 'answerTime'> & {
  readonly database: Database;
  readonly oneTimeSecrets: Pick<OneTimeSecrets, 'codes' | 'links'>;
};

/** The sign-in on its tables. */
export const createSignInDomain = ({ database, oneTimeSecrets, ...parts }: Needs): SignIn =>
  createSignIn({
    ...parts,
    flows: createSqlFlowStore(database),
    throttle: createSqlThrottleStore(database),
    facts: createSqlAccountFacts(database),
    codes: oneTimeSecrets.codes,
    links: oneTimeSecrets.links,
    answerTime: createAnswerTime(answerMilliseconds),
  });
