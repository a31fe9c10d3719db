import { z } from 'zod';

/** Values of `prompt` (OpenID Connect Core §3.1.2.1) with what each does. */
export const prompts = {
  none: 'No page at all: succeed silently or fail',
  login: 'Show the password again, even when signed in',
  consent: 'Ask for consent again',
  select_account: 'Choose the account',
} as const;

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');
/** A field that may be left empty. A union would answer for its members, with none of their messages. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((text) => (text === '' ? undefined : text), schema.optional()).optional();
/** Text with a message for whoever gives more. */
const atMost = (length: number) => z.string().max(length, `Give ${length} characters or fewer.`);

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const tick = z
  .literal('on')
  .optional()
  .transform((value) => value === 'on');

const schema = z.object({
  scope: atMost(1000)
    .transform(words)
    .refine((list) => list.every((word) => scopeToken.test(word)), 'A scope has no spaces, quotes or backslashes.')
    .transform((list) => [...new Set(list)]),
  prompt: optional(z.enum(Object.keys(prompts) as (keyof typeof prompts)[], 'Choose one of the list.')),
  max_age: optional(z.coerce.number('Give a number of seconds.').int('Give whole seconds.').min(0, 'Give 0 or more.')),
  acr_values: optional(atMost(200)),
  login_hint: optional(atMost(200)),
  resource: optional(
    atMost(500).refine((text) => URL.canParse(text) && !text.includes('#'), 'Give an absolute URI without a fragment.'),
  ),
  claims: optional(atMost(2000).refine(isJsonObject, 'Give a JSON object, for example {"id_token":{"email":null}}.')),
  par: tick,
  dpop: tick,
});

/** What the person at the playground wants of the authorization request. */
export type RequestSettings = z.infer<typeof schema>;

export type ReadSettings =
  | { readonly ok: true; readonly settings: RequestSettings }
  | { readonly ok: false; readonly problems: Readonly<Record<string, string>> };

/** Reads the form of step 1. Ticked scopes arrive as `scope-<name>`, all others in the text field `more_scopes`. */
export function readSettings(form: ReadonlyMap<string, string>): ReadSettings {
  const ticked = [...form.keys()].filter((name) => name.startsWith('scope-')).map((name) => name.slice(6));
  const fields = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, form.get(name)?.trim()]));
  const parsed = schema.safeParse({ ...fields, scope: [...ticked, form.get('more_scopes') ?? ''].join(' ') });
  if (parsed.success) return { ok: true, settings: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => [
    path[0] === 'scope' ? 'more_scopes' : String(path[0]),
    message,
  ]);
  return { ok: false, problems: Object.fromEntries(problems) };
}

/** The request parameters that these settings stand for; those that make the flow safe are added by its start. */
export function parametersOf(settings: RequestSettings): Record<string, string> {
  const { scope, prompt, max_age, acr_values, login_hint, resource, claims } = settings;
  return {
    ...(scope.length > 0 && { scope: scope.join(' ') }),
    ...(prompt !== undefined && { prompt }),
    ...(max_age !== undefined && { max_age: String(max_age) }),
    ...(acr_values !== undefined && { acr_values }),
    ...(login_hint !== undefined && { login_hint }),
    ...(resource !== undefined && { resource }),
    ...(claims !== undefined && { claims }),
  };
}
