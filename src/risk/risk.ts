import type { AuditEvent, AuditLog } from '../audit/index.ts';
import type { Devices } from '../devices/index.ts';
import type { Location, Locations, NetworkList } from '../locations/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { AccountId } from '../shared/ids.ts';
import { type ActivityFacts, activitySignals } from './activity-signals.ts';
import type { RiskFacts, RiskFinding } from './risk-facts.ts';
import { type RiskAction, type RiskPolicy, type RiskSignal, strongest } from './risk-policy.ts';
import { signInSignalNames, signInSignals } from './sign-in-signals.ts';
import { trustScore } from './trust-score.ts';

type Meta = Pick<AuditEvent, 'ip' | 'userAgent' | 'requestId'>;

/** What comes of a sign-in. */
export interface SignInVerdict {
  readonly signals: readonly RiskSignal[];
  readonly action: RiskAction;
}

export interface Risk {
  /** Asks beforehand what {@link Risk.assessSignIn} will want to know of an address, so that it travels with other questions. */
  lookAhead(ip: string | undefined): Promise<void>;
  /**
   * Looks at a sign-in whose first door has opened and writes down what it finds. Whatever it cannot find out is no
   * signal: nobody is kept out because a look-up failed to know something.
   */
  assessSignIn(signIn: {
    readonly accountId: AccountId;
    /** SHA-256 of its flow's id, as its session will have it. */
    readonly flowHash: string;
    readonly deviceKnown: boolean | undefined;
    readonly meta: Meta;
  }): Promise<SignInVerdict>;
  /** What it is a sign of that a session is used from another address than before. Writes nothing down. */
  judgeActivity(activity: {
    readonly before: { readonly at: number; readonly ip: string | undefined };
    readonly ip: string | undefined;
  }): SignInVerdict;
  /** Writes down what was found about a session, for the one request that acts on it. */
  noteActivity(activity: {
    readonly accountId: AccountId;
    readonly sessionId: string;
    readonly verdict: SignInVerdict;
    readonly meta: Meta;
  }): Promise<void>;
  /** Whether a sign-in with everything right may be refused as if it were wrong; then no answer's time may tell. */
  readonly refusesSignIns: boolean;
  /** Roughly where an address is. */
  locate(ip: string | undefined): Location | undefined;
  /** How each of these sessions of an account stands, in their order. */
  standingOf(accountId: AccountId, sessions: readonly RatedSession[]): Promise<RiskStanding[]>;
  /** Forgets findings that are older than any session, in batches, and says how many. */
  purge(): Promise<number>;
}

/** A session to be rated. */
export interface RatedSession {
  readonly id: string;
  readonly amr: readonly string[];
  /** As `KnownDevice` has it. */
  readonly deviceHash?: string | undefined;
}

export interface RiskStanding {
  readonly signals: readonly RiskSignal[];
  /** See {@link trustScore}. */
  readonly trust: number;
}

interface Needs {
  readonly facts: RiskFacts;
  readonly devices: Pick<Devices, 'listKnown'>;
  readonly locations: Locations;
  /** Addresses that the operator knows to be bad. */
  readonly listed: NetworkList;
  readonly policy: RiskPolicy;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
}

/** Milliseconds, and different accounts within them that one address may try without being noted. */
const window = 3_600_000;
const manyAccounts = 10;

/** Milliseconds that such a count is remembered, and for how many addresses. */
const countMemory = 10_000;
const mostAddresses = 10_000;

/** Milliseconds that findings are kept, longer than sessions live. */
const memory = 90 * 86_400_000;
const batch = 1000;

/** How many accounts an address tried lately; asked once in a while for each, however busy it is. */
function countAccounts(facts: RiskFacts): (ip: string, now: number) => Promise<number> {
  const counted = new Map<string, { readonly until: number; readonly accounts: number }>();
  return async (ip, now) => {
    const known = counted.get(ip);
    if (known && known.until > now) return known.accounts;
    const accounts = await facts.accountsAt(ip, now - window, manyAccounts);
    if (counted.size >= mostAddresses) counted.clear();
    counted.set(ip, { until: now + countMemory, accounts });
    return accounts;
  };
}

/** Makes the risk domain. */
export function createRisk({ facts, devices, locations, listed, policy, audit, clock }: Needs): Risk {
  const wanted = (...signals: RiskSignal[]): boolean => signals.some((signal) => policy[signal] !== 'off');

  const count = countAccounts(facts);
  const accountsAt = async (ip: string | undefined, now: number): Promise<number> =>
    ip !== undefined && wanted('many-accounts') ? count(ip, now) : 0;

  const judge = (found: readonly RiskSignal[]): SignInVerdict => {
    const signals = found.filter((signal) => policy[signal] !== 'off');
    return { signals, action: strongest(signals, policy) };
  };

  const note = async (
    { signals, action }: SignInVerdict,
    { accountId, about }: Pick<RiskFinding, 'accountId' | 'about'>,
    meta: Meta,
  ): Promise<void> => {
    if (signals.length > 0) await facts.note({ accountId, about, signals, at: clock.now() });
    // A new browser alone is told by the device itself, once.
    if (signals.some((signal) => signal !== 'new-device')) {
      await audit.record({
        ...meta,
        type: 'risk.detected',
        actor: { kind: 'system' },
        outcome: action === 'end' ? 'failure' : 'success',
        subject: accountId,
        ...('sessionId' in about && { sessionId: about.sessionId }),
        details: { ...('sessionId' in about && { session: about.sessionId }), signals, action },
      });
    }
  };

  return {
    refusesSignIns: signInSignalNames.some((signal) => policy[signal] === 'end'),
    locate: (ip) => locations.find(ip),

    async lookAhead(ip) {
      await accountsAt(ip, clock.now());
    },

    async assessSignIn({ accountId, flowHash, deviceKnown, meta }) {
      const now = clock.now();
      const { ip } = meta;
      const location = locations.find(ip);
      const asks = (location && wanted('impossible-travel')) || (deviceKnown === false && wanted('new-device'));
      const before = asks ? await facts.lastSeen(accountId) : undefined;
      const found = signInSignals({
        now,
        deviceKnown,
        location,
        before: before && { at: before.at, location: locations.find(before.ip) },
        accountsAtAddress: await accountsAt(ip, now),
        manyAccounts,
        listed: ip !== undefined && listed.has(ip),
      });
      const verdict = judge(found);
      await note(verdict, { accountId, about: { flowHash } }, meta);
      return verdict;
    },

    judgeActivity({ before, ip }) {
      const found: ActivityFacts = {
        before: { ...before, location: locations.find(before.ip) },
        now: { at: clock.now(), ip, location: locations.find(ip) },
        listed: ip !== undefined && listed.has(ip),
      };
      return judge(activitySignals(found));
    },

    noteActivity: ({ accountId, sessionId, verdict, meta }) => note(verdict, { accountId, about: { sessionId } }, meta),

    async standingOf(accountId, sessions) {
      const [found, known] = await Promise.all([facts.signalsOf(accountId), devices.listKnown(accountId)]);
      const since = new Map(known.map(({ deviceHash, firstSeenAt }) => [deviceHash, firstSeenAt]));
      const now = clock.now();
      return sessions.map(({ id, amr, deviceHash }) => {
        const signals = found.get(id) ?? [];
        const deviceSince = deviceHash === undefined ? undefined : since.get(deviceHash);
        return { signals, trust: trustScore({ now, deviceSince, amr, signals }) };
      });
    },

    async purge() {
      let total = 0;
      for (let removed = batch; removed === batch; total += removed) {
        removed = await facts.purge(clock.now() - memory, batch);
      }
      return total;
    },
  };
}
