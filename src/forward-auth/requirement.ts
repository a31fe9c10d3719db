import { AppError } from '../shared/errors.ts';

/** What a proxy asks for before it lets a request through. It is part of the proxy's own configuration. */
export interface Requirement {
  /** Client id of the app behind the proxy: people come in by their session. */
  readonly app?: string;
  /** Identifier of the API behind the proxy: requests come in by an access token that was issued for it. */
  readonly audience?: string;
  /** Scopes that a token must have, all of them. */
  readonly scopes: readonly string[];
  readonly permissions: readonly string[];
  /** How sure it must be who it is. */
  readonly acr?: 'aal1' | 'aal2';
  /** Seconds that the last sign-in may be old. */
  readonly maxAge?: number;
}

/** Reads one parameter: every value that was given for it. */
export type Parameters = Iterable<readonly [name: string, value: string]>;

const known = ['app', 'audience', 'scopes', 'permissions', 'acr', 'max_age'] as const;
type Name = (typeof known)[number];

const isKnown = (name: string): name is Name => (known as readonly string[]).includes(name);
// RFC 6749 §3.3, which is also what may stand in a challenge without being escaped.
const words = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
const longest = 50;

function refuse(text: string): never {
  throw new AppError('invalid_input', `The configuration of the proxy is not usable: ${text}`);
}

function collect(parameters: Parameters): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {};
  for (const [name, value] of parameters) {
    // A misspelt rule that is passed over would open what it was to close.
    if (!isKnown(name)) refuse(`there is no ${name.slice(0, 50)}. Give ${known.join(', ')}.`);
    if (given[name] !== undefined) refuse(`${name} is there twice.`);
    if (value.trim() === '') refuse(`${name} is empty.`);
    given[name] = value.trim();
  }
  return given;
}

function list(name: string, text: string | undefined): string[] {
  const found = [...new Set((text ?? '').split(/[ ,]+/).filter((part) => part !== ''))];
  if (found.length > longest || !found.every((part) => words.test(part))) refuse(`${name} cannot be read.`);
  return found;
}

/** @throws AppError `invalid_input` for anything that is unknown, given twice, or not to be read. */
export function readRequirement(parameters: Parameters): Requirement {
  const { app, audience, scopes, permissions, acr, max_age: age } = collect(parameters);
  if ((app === undefined) === (audience === undefined)) refuse('give app or audience, one of them.');
  if (app !== undefined && (scopes ?? permissions) !== undefined) refuse('scopes and permissions go with an audience.');
  if (acr !== undefined && acr !== 'aal1' && acr !== 'aal2') refuse('acr is aal1 or aal2.');
  if (age !== undefined && !/^\d{2,8}$/.test(age)) refuse('max_age is a number of seconds, 10 or more.');
  return {
    ...(app !== undefined && { app }),
    ...(audience !== undefined && { audience }),
    scopes: list('scopes', scopes),
    permissions: list('permissions', permissions),
    ...(acr !== undefined && { acr }),
    ...(age !== undefined && { maxAge: Number(age) }),
  };
}
