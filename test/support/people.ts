import { generate } from 'otplib';
import type { Account } from '../../src/accounts/index.ts';
import type { Client, NewClient } from '../../src/clients/index.ts';
import { AppError } from '../../src/shared/errors.ts';
import type { AccountId } from '../../src/shared/ids.ts';
import { randomText } from '../../src/shared/ids.ts';
import type { RunningApp } from './start-app.ts';

const operator = { kind: 'operator' } as const;

export interface Person {
  readonly account: Account;
  readonly login: string;
  readonly password: string;
}

/** A new account with a password of its own and full standard claims. */
export async function createPerson({ app }: RunningApp): Promise<Person> {
  const { accounts, credentials } = app.domains;
  const login = `p${randomText(10)}`;
  const password = `correct horse ${randomText(12)}`;
  const account = await accounts.create(
    {
      email: `${login}@people.example`,
      username: login,
      emailVerified: true,
      profile: {
        name: 'Mara Lindgren',
        given_name: 'Mara',
        family_name: 'Lindgren',
        locale: 'en-GB',
        zoneinfo: 'Europe/Berlin',
      },
      address: { street_address: 'Gate 1', locality: 'Fernhill', country: 'DE' },
      phoneNumber: '+4930123456',
    },
    operator,
  );
  await credentials.setPassword(account.id, password);
  return { account, login, password };
}

/** Turns TOTP on and hands out codes: each call the next step's code, so that none is used twice. */
export async function enrolTotp(
  { app }: RunningApp,
  id: AccountId,
  label: string,
): Promise<{ secret: string; code(stepsAhead?: number): Promise<string> }> {
  const { secret } = await app.domains.credentials.totp.begin(id, label);
  const code = (stepsAhead = 0): Promise<string> =>
    generate({ secret, epoch: Math.floor(Date.now() / 1000) + stepsAhead * 30 });
  const { confirm } = app.domains.credentials.totp;
  // With the code of the previous step, so that the current one is still free for the test. A step may end before it is
  // looked at; the next one does not end as well.
  if (!(await confirm(id, await code(-1))) && !(await confirm(id, await code(-1))))
    throw new Error('the enrolment was not confirmed');
  return { secret, code };
}

export async function createClient(
  { app }: RunningApp,
  input: Partial<NewClient> & Pick<NewClient, 'kind'>,
): Promise<{ client: Client; secret: string }> {
  const { client, secret } = await app.domains.clients
    .create({ name: `App ${randomText(6)}`, ...input }, operator)
    .catch((error: unknown) => {
      throw error instanceof AppError ? new Error(`${error.message} ${JSON.stringify(error.details.fields)}`) : error;
    });
  return { client, secret: secret ?? '' };
}

/** Registers an API with two scopes and returns its identifier. */
export async function createApi(
  { app }: RunningApp,
  extra: {
    requireSecondFactor?: boolean;
    tokenFormat?: 'jwt' | 'opaque';
    signingAlg?: 'ES256' | 'RS256' | 'EdDSA';
  } = {},
): Promise<string> {
  const identifier = `https://api-${randomText(8)}.example/`;
  await app.domains.apis.create(
    {
      identifier,
      name: 'Notes',
      scopes: [
        { name: 'notes:read', description: 'Read your notes' },
        { name: 'notes:write', description: 'Change your notes' },
      ],
      ...extra,
    },
    operator,
  );
  return identifier;
}
