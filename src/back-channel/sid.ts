import { sha256 } from '../shared/crypto.ts';

/**
 * The `sid` by which one app knows one session, in its ID tokens and its logout token. It is made from what both sides
 * have, so nobody has to keep it; two apps cannot see from it that they share a session, and it opens nothing.
 * @param uid of the protocol session in the browser, or the handle of a session that has none
 */
export const sidOf = (uid: string, clientId: string): string => sha256(`${uid} ${clientId}`).slice(0, 32);
