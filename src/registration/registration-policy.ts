import { parseEmail } from '../accounts/index.ts';
import { AppError } from '../shared/errors.ts';

/** Who may make an account. */
export interface RegistrationPolicy {
  readonly mode: 'off' | 'invite' | 'open';
  /** Domains whose addresses may register; empty for all. Subdomains are domains of their own. */
  readonly domains: readonly string[];
  /** Days after which an account whose address was never confirmed is removed. */
  readonly unverifiedDays: number;
}

const hostOf = (key: string): string => key.slice(key.lastIndexOf('@') + 1);

/** A domain in the form that the keys of addresses have; undefined for one that no address can have. */
export function readDomain(domain: string): string | undefined {
  const key = parseEmail(`x@${domain.trim().replace(/^@/, '')}`)?.key;
  return key === undefined ? undefined : hostOf(key);
}

/** Whether an address, by its key, is of a domain that the installation takes. */
export const isOfDomain = ({ domains }: Pick<RegistrationPolicy, 'domains'>, emailKey: string): boolean =>
  domains.length === 0 || domains.some((domain) => readDomain(domain) === hostOf(emailKey));

/**
 * Refuses what the policy does not allow. It looks at the address alone and at no account, so it tells nothing about one.
 * @throws AppError `forbidden`, or `invalid_input` for the domain.
 */
export function checkPolicy(policy: RegistrationPolicy, emailKey: string, invited: boolean): void {
  if (policy.mode === 'off') throw new AppError('forbidden', 'Registration is closed here.');
  if (invited) return;
  if (policy.mode === 'invite') throw new AppError('forbidden', 'Registration takes an invitation here.');
  if (isOfDomain(policy, emailKey)) return;
  const message = `Addresses at ${hostOf(emailKey)} cannot be registered here.`;
  throw new AppError('invalid_input', message, { fields: { email: message } });
}
