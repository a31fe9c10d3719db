import { domainToASCII } from 'node:url';

/** A sender or recipient. */
export interface Mailbox {
  readonly name?: string | undefined;
  readonly address: string;
}

// No quoting, comments, source routes or lists: whatever could end an address or start a header is not in it.
const local = /^[^\s"(),:;<>@[\\\]\p{C}]+$/u;
const name = /^[^\p{C}<>"]{1,100}$/u;

/**
 * The address that the mail server is told: the domain in its ASCII form, as the one that was checked when the account
 * was made, so that a look-alike of it cannot lead elsewhere. Undefined for anything that is not one plain address.
 */
export function deliverableAddress(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const [person, host] = [address.slice(0, at), domainToASCII(address.slice(at + 1).normalize('NFKC'))];
  if (at < 1 || !local.test(person) || !/^[a-z0-9.-]+$/.test(host) || host.startsWith('.')) return undefined;
  const deliverable = `${person}@${host}`;
  return Buffer.byteLength(deliverable) > 254 ? undefined : deliverable;
}

/** What the mails of one mailbox are counted under: case and `+tags` make no other mailbox. */
export function capKeyOf(deliverable: string): string {
  const folded = deliverable.normalize('NFKC').toLowerCase();
  const at = folded.lastIndexOf('@');
  return `${folded.slice(0, at).replace(/(?<=.)\+.*$/u, '')}${folded.slice(at)}`;
}

/** Reads `address` or `Name <address>`; undefined for anything else. */
export function parseMailbox(text: string): Mailbox | undefined {
  const [, label, given = text] = /^(.*?)\s*<([^<>]*)>$/u.exec(text.trim()) ?? [];
  const address = deliverableAddress(given.trim());
  if (address === undefined) return undefined;
  if (label === undefined || label === '') return { address };
  return name.test(label) ? { name: label, address } : undefined;
}
