/**
 * Name of the cookie that tells one browser from another before anybody has signed in. Where the issuer is https no
 * neighbour domain can plant it (RFC 6265bis §4.1.3.2, `__Host-`).
 */
export const browserCookieName = (secureCookies: boolean): string => (secureCookies ? '__Host-sp_csrf' : 'sp_csrf');
