import type { AuditLog } from '../audit/index.ts';
import type { Config } from '../config/load.ts';
import type { Devices } from '../devices/index.ts';
import {
  type AddressRules,
  createAddressRules,
  createNetworkList,
  type Locations,
  type NetworkList,
  noLocations,
  openLocations,
  openNetworkFile,
  refusalOf,
} from '../locations/index.ts';
import { createRisk, defaultRiskPolicy, type Risk, type RiskPolicy } from '../risk/index.ts';
import { createSqlRiskFacts } from '../risk/risk-facts-sql.ts';
import type { Sessions } from '../sessions/index.ts';
import type { Clock } from '../shared/clock.ts';
import { asAccountId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { Database } from '../storage/database.ts';

const system = { kind: 'system' } as const;

/** What the installation says of places and signs. Entries were checked with the configuration. */
export const riskPolicyOf = ({ SALLYPORT_RISK }: Config): RiskPolicy => ({
  ...defaultRiskPolicy,
  ...Object.fromEntries(SALLYPORT_RISK.map((entry) => entry.split('='))),
});

/** Whether a sign-in with a new browser is told to its person. */
export const tellsOfNewDevices = (config: Config): boolean =>
  !['off', 'note'].includes(riskPolicyOf(config)['new-device']);

interface ReuseNeeds {
  readonly policy: RiskPolicy;
  /** Of the audit log with everything that hangs on it. */
  readonly record: AuditLog['record'];
  readonly sessions: Pick<Sessions, 'endAll'>;
}

/** Does about a code or refresh token that was used twice what the installation wants; its family has ended already. */
export function withTokenReuse(audit: AuditLog, { policy, record, sessions }: ReuseNeeds): AuditLog {
  const action = policy['token-reuse'];
  return {
    ...audit,
    async record(event) {
      await audit.record(event);
      if (event.type !== 'token.reuse_detected' || event.subject === undefined || action === 'off') return;
      const { type: _type, details: _details, ...rest } = event;
      await record({ ...rest, type: 'risk.detected', actor: system, details: { signals: ['token-reuse'], action } });
      // There is no sign-in that could ask for more, so whatever wants that ends everything.
      if (action !== 'second-factor' && action !== 'end') return;
      await sessions.endAll(asAccountId(event.subject), system, 'risk');
    },
  };
}

export interface RiskParts extends Disposable {
  readonly risk: Risk;
  readonly locations: Locations;
  readonly addressRules: AddressRules;
}

/** Opens the operator's files and makes what looks at where people come from. */
export function createRiskParts(needs: {
  readonly config: Config;
  readonly database: Database;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly devices: Pick<Devices, 'listKnown'>;
  readonly clock: Clock;
  readonly logger: Logger;
}): RiskParts {
  const { config, database, audit, devices, clock, logger } = needs;
  const stack = new DisposableStack();
  const { SALLYPORT_LOCATION_DATABASE: places, SALLYPORT_RISK_ADDRESSES: bad } = config;
  const locations: Locations = places === undefined ? noLocations : stack.use(openLocations(places, logger));
  const listed: NetworkList = bad === undefined ? createNetworkList([]) : stack.use(openNetworkFile(bad, logger));
  return {
    locations,
    addressRules: createAddressRules(
      {
        allowAddresses: createNetworkList(config.SALLYPORT_ALLOW_ADDRESSES),
        blockAddresses: createNetworkList(config.SALLYPORT_BLOCK_ADDRESSES),
        allowCountries: new Set(config.SALLYPORT_ALLOW_COUNTRIES),
        blockCountries: new Set(config.SALLYPORT_BLOCK_COUNTRIES),
      },
      locations,
    ),
    risk: createRisk({
      facts: createSqlRiskFacts(database),
      devices,
      locations,
      listed,
      policy: riskPolicyOf(config),
      audit,
      clock,
    }),
    [Symbol.dispose]: () => stack.dispose(),
  };
}

/** Why nobody may sign in from an address, for the log; undefined where everybody may. */
export function refusedPlaces({ addressRules }: RiskParts): ((address: string) => string | undefined) | undefined {
  return addressRules.open ? undefined : (address) => refusalOf(addressRules, address);
}
