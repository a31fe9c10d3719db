import { domainToASCII, domainToUnicode } from 'node:url';

/** A mail address: as it was given, and the form that no two accounts may share. */
export interface EmailAddress {
  readonly address: string;
  readonly key: string;
}

const local = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const domain = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{N}\p{M}-]{2,63}$/u;
const asciiDomain =
  /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9](?:[a-z0-9-]{0,57}[a-z0-9])?)$/;
// Invisible, unassigned or private characters make two addresses that read alike.
const unseen = /[\p{C}\p{Default_Ignorable_Code_Point}]/u;
const foldings = 4;

/** NFKC and full case folding until nothing changes; undefined for the few strings that never settle. */
function fold(text: string): string | undefined {
  let folded = text;
  for (let round = 0; round < foldings; round += 1) {
    const next = folded.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
    if (next === folded) return folded;
    folded = next;
  }
  return undefined;
}

const isPair = (parts: readonly string[]): parts is [string, string] => parts.length === 2;

function keyOf(address: string): string | undefined {
  const parts = address.split('@');
  if (!isPair(parts) || !local.test(parts[0]) || !domain.test(parts[1])) return undefined;
  const person = fold(parts[0]);
  const host = domainToASCII(parts[1].normalize('NFKC'));
  // What normalising made of it must pass the same rules: U+FF20 would become a second @, U+FDFA brings spaces.
  if (person === undefined || !local.test(person) || !asciiDomain.test(host)) return undefined;
  // Punycode that does not decode stays as it is, and would be a second name for nothing.
  if (/(?:^|\.)xn--/.test(domainToUnicode(host))) return undefined;
  if (Buffer.byteLength(person) > 64 || host.length > 253) return undefined;
  return `${person}@${host}`;
}

/**
 * Reads a mail address conservatively: no quoting, comments, IP literals or single-label domains. Control characters,
 * invisible ones and look-alikes of `@` are refused before anything is normalised.
 */
export function parseEmail(text: string): EmailAddress | undefined {
  if (text.length > 320) return undefined;
  const address = text.trim();
  if (unseen.test(address) || Buffer.byteLength(address) > 254) return undefined;
  const key = keyOf(address);
  return key === undefined ? undefined : { address, key };
}
