import { AppError, codeOf, reasonOf } from '../shared/errors.ts';
import { isDatabaseUnavailable } from '../storage/database.ts';

/**
 * What keeps PostgreSQL from being used at the start or by a command, in words that name the variable. Anything else
 * comes back as it was. The password of the URL is not repeated.
 */
export function databaseProblem(error: unknown, url: string): unknown {
  const { hostname, port, pathname, username } = new URL(url);
  const server = `PostgreSQL at ${hostname || 'the default address'}:${port || '5432'}`;
  const database = decodeURIComponent(pathname.slice(1));
  const refuse = (text: string): AppError =>
    new AppError('unavailable', `${server} ${text}`, { reason: reasonOf(error) }, error);
  switch (codeOf(error)) {
    case '3D000':
      return refuse(`has no database ${database}. Make it (createdb ${database}), or name another in DATABASE_URL.`);
    case '28P01':
    case '28000':
      return refuse(
        `does not let ${decodeURIComponent(username) || 'this user'} in. Look at user and password in DATABASE_URL. (${reasonOf(error)})`,
      );
    case '42501':
      return refuse(`lets the user of DATABASE_URL in, but not do this: ${reasonOf(error)}`);
    default:
      if (!isDatabaseUnavailable(error)) return error;
      return refuse(
        `does not answer (${codeOf(error) || reasonOf(error)}). Does it run there, and is DATABASE_URL right?`,
      );
  }
}
