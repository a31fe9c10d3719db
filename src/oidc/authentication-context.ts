/** One factor and two factors, as `acr` values; ordered, so that the higher satisfies the lower. */
export const acrValues = ['aal1', 'aal2'] as const;
export type AcrValue = (typeof acrValues)[number];

/** Whether an authentication with `actual` is as good as one with `wanted`. */
export const satisfies = (actual: string | undefined, wanted: AcrValue): boolean =>
  wanted === 'aal1' ? actual === 'aal1' || actual === 'aal2' : actual === 'aal2';

interface AcrRequest {
  readonly acr_values?: unknown;
  readonly claims?: unknown;
}

function essentialAcr(claims: unknown): string[] {
  if (typeof claims !== 'string') return [];
  const acr = (JSON.parse(claims) as { id_token?: { acr?: { value?: unknown; values?: unknown } } }).id_token?.acr;
  const values = Array.isArray(acr?.values) ? acr.values : [acr?.value];
  return values.filter((value): value is string => typeof value === 'string');
}

/**
 * Whether a request's `acr_values` or `claims` (OpenID Connect Core §3.1.2.1, §5.5.1.1) leave nothing but two factors.
 * A list that also names `aal1` is content with one.
 */
export function demandsSecondFactor(params: AcrRequest): boolean {
  const listed = typeof params.acr_values === 'string' ? params.acr_values.split(' ') : [];
  for (const wanted of [listed, essentialAcr(params.claims)]) {
    const known = wanted.filter((value) => (acrValues as readonly string[]).includes(value));
    if (known.length > 0 && !known.includes('aal1')) return true;
  }
  return false;
}
