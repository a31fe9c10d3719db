import { randomBytes } from 'node:crypto';
import { generateSync } from 'otplib';
import { createSqlAccountStore } from '../../src/accounts/account-store-sql.js';
import { createAccounts } from '../../src/accounts/index.js';
import { createSqlAuditStore } from '../../src/audit/audit-store-sql.js';
import { createAuditLog } from '../../src/audit/index.js';
import { createSqlCredentialStore } from '../../src/credentials/credential-store-sql.js';
import { createCredentials, createPasswordHasher } from '../../src/credentials/index.js';
import { FixedClock } from '../../src/shared/clock.js';
import { SecretRing } from '../../src/shared/crypto.js';
import { asClientId } from '../../src/shared/ids.js';
import { silentLogger } from '../../src/shared/logger.js';
import { createSqlFlowStore } from '../../src/sign-in/flow-store-sql.js';
import { createSignIn } from '../../src/sign-in/index.js';
import { createSqlThrottleStore } from '../../src/sign-in/throttle-store-sql.js';
import { testDatabase } from '../support/database.js';
const logger = silentLogger();
const operator = { kind: 'operator' };
export const meta = { ip: '192.0.2.7', userAgent: 'mocha', requestId: 'req_test' };
export const password = 'correct horse battery staple';
/** One cheap hasher for all tests of this folder; it lets the process end by itself. */
export const hasher = createPasswordHasher({ memoryKiB: 256, passes: 1, workers: 2, queue: 500, logger });
/** The sign-in domain on real parts, with a clock of its own. */
export async function createFixture(lane, change = {}) {
    const database = await testDatabase(lane);
    const clock = new FixedClock();
    const audit = createAuditLog(createSqlAuditStore(database), clock);
    const accounts = createAccounts({ store: createSqlAccountStore(database), clock, audit });
    const credentials = createCredentials({
        store: createSqlCredentialStore(database),
        clock,
        audit,
        secrets: new SecretRing(['a'.repeat(40)]),
        hasher,
        issuerName: 'Sallyport',
        logger,
    });
    const policy = {
        lockoutTries: 5,
        lockoutSeconds: 1800,
        challengeSeconds: 600,
        flowSeconds: 3600,
        codeTries: 5,
        ...change,
    };
    const parts = {
        flows: createSqlFlowStore(database),
        throttle: createSqlThrottleStore(database),
        accounts,
        credentials,
        audit,
        clock,
        policy,
        logger,
    };
    const signIn = createSignIn(parts);
    const codeOf = ({ secret }, offset = 0) => generateSync({ secret, epoch: Math.floor(clock.now() / 1000) + offset * 30 });
    return {
        database,
        clock,
        audit,
        accounts,
        credentials,
        parts,
        signIn,
        codeOf,
        /** A six-digit code that no step near now has. */
        wrongCode(person) {
            const near = [-2, -1, 0, 1, 2].map((offset) => codeOf(person, offset));
            return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code)) ?? '';
        },
        async person(factors = {}) {
            const login = `user-${randomBytes(6).toString('hex')}`;
            const account = await accounts.create({ username: login, email: `${login}@example.com` }, operator);
            await credentials.setPassword(account.id, password);
            if (!factors.totp)
                return { account, login, secret: '', backupCodes: [] };
            const { secret } = await credentials.totp.begin(account.id, login);
            // With the code of the step before, so that the current one is still good.
            await credentials.totp.confirm(account.id, codeOf({ secret }, -1));
            return { account, login, secret, backupCodes: await credentials.backupCodes.create(account.id) };
        },
        /** Opens a flow of its own and says its id. */
        async flow(input = {}) {
            const id = randomBytes(16).toString('base64url');
            await signIn.open(id, { clientId: asClientId('app_test'), requirement: { secondFactor: false }, ...input });
            return id;
        },
        submit: (flowId, { login }, given = password) => signIn.submitPassword(flowId, { login, password: given }, meta),
        /** The audit types of an account, oldest first, without those of its making. */
        async history({ account }) {
            const rows = await audit.list({ subject: account.id, limit: 200 });
            const setUp = new Set(['account.created', 'password.changed', 'second_factor.enrolled', 'backup_codes.created']);
            return rows.map(({ type }) => type).filter((type) => !setUp.has(type));
        },
    };
}
/** What the pages are given, without what a stranger must not learn. */
export const stepOf = (result) => result.view?.step;
/** The code of the AppError that this was refused with. */
export async function refusalOf(work) {
    try {
        await work;
    }
    catch (error) {
        return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
    return 'done';
}
