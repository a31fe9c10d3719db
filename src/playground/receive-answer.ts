import { adviceFor, type Problem } from './explain-problem.ts';
import type { Check, CodeRun } from './run.ts';

function problemIn(query: URLSearchParams): Problem | undefined {
  const error = query.get('error');
  if (error === null) return undefined;
  const description = query.get('error_description');
  return {
    title: 'The server sent the browser back with an error',
    error,
    ...(description !== null && { description }),
    advice: adviceFor(error),
  };
}

/** Step 3: what an app has to check in the answer before it touches the code (RFC 9700 §2.1, RFC 9207). */
export function receiveAnswer(run: CodeRun, address: URL, issuer: string): void {
  const query = address.searchParams;
  const checks: Check[] = [
    {
      name: 'state',
      passed: query.get('state') === run.state,
      text: 'It is the value that this browser left with, so the answer belongs to this run.',
    },
    {
      name: 'iss',
      passed: query.get('iss') === issuer,
      text: `It is ${issuer}, so no other server answered in its place.`,
    },
  ];
  const problem = problemIn(query);
  if (!problem) {
    const passed = query.getAll('code').length === 1;
    checks.push({
      name: 'code',
      passed,
      text: 'There is exactly one. It works once, for a minute, and only with the PKCE verifier.',
    });
  }
  run.answer = { url: address.href, checks, ...(problem && { problem }) };
}
