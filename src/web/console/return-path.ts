/** Where a sign-in for our consoles may lead back to; everything below each of them too. */
export const consoleAreas: readonly string[] = ['/admin', '/account'];

const longest = 1000;

/**
 * A path and query of ours inside one of the consoles, as a browser will resolve it; undefined for anything else. Dot
 * segments, backslashes, control characters and other hosts cannot lead out.
 */
export function returnPath(text: string, issuer: string): string | undefined {
  if (text.length > longest || !/^\/[\x21-\x5b\x5d-\x7e]*$/.test(text)) return undefined;
  const url = URL.parse(text, issuer);
  if (url?.origin !== issuer || url.username !== '' || url.password !== '') return undefined;
  const { pathname, search } = url;
  const inside = consoleAreas.some((area) => pathname === area || pathname.startsWith(`${area}/`));
  return inside ? `${pathname}${search}` : undefined;
}
