import { createClient } from '../support/people.ts';
import type { RunningApp } from '../support/start-app.ts';
import { type Door, type Fields, redirectUri } from './doors.ts';
import { type StageName, Stages } from './stages.ts';

const csrf = ['csrf', '{csrf}'] as const;
const answer = encodeURIComponent(
  '{"id":"x","rawId":"x","type":"public-key","response":{},"clientExtensionResults":{}}',
);

/** Steps of a sign-in by the stage at which their page is shown, with what each takes. */
const steps: readonly (readonly [step: string, stage: StageName, form: Fields])[] = [
  ['email', 'login', [csrf, ['username', 'ada']]],
  ['email', 'login', [csrf, ['code', '00000000']]],
  ['email', 'login', [csrf, ['token', 'x'.repeat(43)]]],
  ['login', 'login', [csrf, ['passkey', answer], ['action', 'passkey']]],
  ['passkey', 'login', [csrf, ['passkey', answer], ['action', 'passkey']]],
  ['email-code', 'login', [csrf, ['code', '00000000']]],
  ['verify-email', 'unverified', [csrf, ['action', 'resend']]],
  ['change-password', 'change-password', [csrf, ['new-password', 'short'], ['action', 'continue']]],
  ['offer-passkey', 'offer-passkey', [csrf, ['passkey', answer], ['action', 'passkey']]],
];

const visited: readonly StageName[] = ['login', 'unverified', 'change-password', 'offer-passkey'];

/** The later steps of a sign-in: at each stage the page that is shown, and those that are not its turn. */
export async function stepDoors(running: RunningApp): Promise<{ doors: readonly Door[]; stages: Stages }> {
  const metadata = { redirect_uris: [redirectUri] };
  const client = (more: object) => createClient(running, { kind: 'web', firstParty: true, metadata, ...more });
  const [plain, strict] = [await client({}), await client({ requireSecondFactor: true })];
  const doors = steps.map(([step, stage, form]): Door => ({ path: `{base}/${step}`, query: [], form, stage }));
  const options = visited.map((stage): Door => ({ path: '{base}/passkey-options', query: [['x', 'x']], stage }));
  return { doors: [...doors, ...options], stages: await Stages.create(running, plain.client, strict.client) };
}
