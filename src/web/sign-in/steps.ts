import type { FlowView, Step } from '../../sign-in/index.ts';
import { metaOf } from '../request-meta.ts';
import type { SignInSurface, Visit } from './context.ts';
import { openFlow, requirementOf, seeOther } from './context.ts';
import type { Remember } from './remember.ts';

/** Which page stands for which step. No step names another: each returns to the dispatcher. */
const pathOf: Record<Exclude<Step, 'done'>, string> = {
  password: 'login',
  'second-factor': 'second-factor',
  'enroll-totp': 'enroll',
  'show-backup-codes': 'backup-codes',
};

/** The page of a prompt that is not about signing in, unless the person chose to sign in anew. */
export async function pageOfPrompt(surface: SignInSurface, { interaction }: Visit): Promise<string | undefined> {
  const page = { consent: 'consent', select_account: 'select-account', login: undefined, other: undefined }[
    interaction.prompt
  ];
  if (!page || !interaction.session || (await surface.signIn.view(interaction.uid))) return undefined;
  return page;
}

/**
 * Sends the browser to where the sign-in stands: the next page, or back to the app when nothing is left to show.
 * Every page posts back to here, so no order of pages can skip a step. `known` is where it stood a moment ago; the
 * sign-in domain looks again before it finishes.
 */
export async function dispatch(
  surface: SignInSurface,
  remember: Remember,
  visit: Visit,
  known?: FlowView,
): Promise<void> {
  const { ctx, interaction, base } = visit;
  // A flow that was opened on top of these two is someone who wants to be someone else.
  const asked = known ? undefined : await pageOfPrompt(surface, visit);
  if (asked) return seeOther(ctx, `${base}/${asked}`);
  const { step } = known ?? (await openFlow(surface, visit));
  if (step !== 'done') return seeOther(ctx, `${base}/${pathOf[step]}`);
  const result = await surface.signIn.finish(interaction.uid, metaOf(ctx));
  seeOther(ctx, await surface.interactions.finishSignIn(ctx, { ...result, remember: remember.read(ctx) }));
}

/** Starts a sign-in on top of a consent or chooser page: what this browser proved before is worth nothing for it. */
export async function signInAnew(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { interaction, client } = visit;
  const { secondFactor } = await requirementOf(surface, visit);
  await surface.signIn.open(interaction.uid, { clientId: client.id, requirement: { secondFactor } });
  return dispatch(surface, remember, visit);
}
