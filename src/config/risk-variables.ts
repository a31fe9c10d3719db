import { z } from 'zod';
import { defaultRiskPolicy, riskActions, riskSignals } from '../risk/index.ts';
import { describe, list, networks } from './variable.ts';

const countries = (description: string) =>
  describe(
    list
      .default([])
      .transform((codes) => codes.map((code) => code.toUpperCase()))
      .refine((codes) => codes.every((code) => /^[A-Z]{2}$/.test(code)), {
        error: 'Give codes of two letters (ISO 3166-1), for example DE,FR',
      }),
    description,
  );

const signals: readonly string[] = riskSignals;
const actions: readonly string[] = riskActions;
const defaults = Object.entries(defaultRiskPolicy).map((entry) => entry.join('='));

/** Variables about where people sign in from, and what is done when that looks wrong. */
export const riskVariables = {
  SALLYPORT_LOCATION_DATABASE: describe(
    z.string().optional(),
    'File of a database of cities or countries in MaxMind DB format, for example GeoLite2-City.mmdb. None is bundled; without it addresses have no place. It is read again when it is replaced.',
  ),
  SALLYPORT_ALLOW_ADDRESSES: describe(
    networks,
    'Addresses or CIDR ranges that people may sign in from. With this or with allowed countries nobody else may. An address here is let in whatever its country.',
  ),
  SALLYPORT_BLOCK_ADDRESSES: describe(networks, 'Addresses or CIDR ranges that nobody may sign in from.'),
  SALLYPORT_ALLOW_COUNTRIES: countries(
    'Countries that people may sign in from, as codes of two letters. It needs SALLYPORT_LOCATION_DATABASE; unknown places are left out.',
  ),
  SALLYPORT_BLOCK_COUNTRIES: countries(
    'Countries that nobody may sign in from, as codes of two letters. It needs SALLYPORT_LOCATION_DATABASE.',
  ),
  SALLYPORT_RISK_ADDRESSES: describe(
    z.string().optional(),
    'File of addresses and CIDR ranges that are known to be bad, one a line, for the signal listed-address. It is read again when it changes.',
  ),
  SALLYPORT_RISK: describe(
    list.default([]).refine(
      (entries) =>
        entries.every((entry) => {
          const [signal = '', action = '', ...rest] = entry.split('=');
          return rest.length === 0 && signals.includes(signal) && actions.includes(action);
        }),
      { error: `Give signal=action. Signals: ${signals.join(', ')}. Actions: ${actions.join(', ')}` },
    ),
    `What is done about signs of somebody else, where it is not the default: ${defaults.join(',')}. Actions, each with those before it: ${actions.join(', ')}.`,
  ),
};

/** What a single variable cannot say of itself. */
export function riskProblems(values: {
  readonly SALLYPORT_LOCATION_DATABASE?: string | undefined;
  readonly SALLYPORT_ALLOW_COUNTRIES: readonly string[];
  readonly SALLYPORT_BLOCK_COUNTRIES: readonly string[];
}): string[] {
  const named = (['SALLYPORT_ALLOW_COUNTRIES', 'SALLYPORT_BLOCK_COUNTRIES'] as const).filter(
    (name) => values[name].length > 0,
  );
  if (values.SALLYPORT_LOCATION_DATABASE !== undefined) return [];
  return named.map((name) => `${name} needs SALLYPORT_LOCATION_DATABASE: without it nobody knows where an address is.`);
}
