const shape = /^[a-z0-9](?:[a-z0-9._-]{1,62})[a-z0-9]$/i;

/** A username: as it was given, and the form that no two accounts may share. */
export interface Username {
  readonly username: string;
  readonly key: string;
}

/**
 * Reads a username: 3 to 64 of a–z, 0–9, dot, dash and underscore, with a letter or digit at both ends. It has no `@`,
 * so it can never equal the email of another account.
 */
export function parseUsername(text: string): Username | undefined {
  const username = text.length > 100 ? '' : text.trim();
  return shape.test(username) ? { username, key: username.toLowerCase() } : undefined;
}
