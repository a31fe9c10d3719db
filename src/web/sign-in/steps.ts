import type { Step } from '../../sign-in/index.ts';
import type { SignInSurface, Visit } from './context.ts';
import { openFlow, seeOther } from './context.ts';
import type { Remember } from './remember.ts';

/** Which page stands for which step. No step names another: each returns to the dispatcher. */
const pathOf: Record<Exclude<Step, 'done'>, string> = {
  password: 'login',
  'second-factor': 'second-factor',
  'enroll-totp': 'enroll',
  'show-backup-codes': 'backup-codes',
};

/**
 * Sends the browser to where the sign-in stands: the next page, or back to the app when nothing is left to show.
 * Every page posts back to here, so no order of pages can skip a step.
 */
export async function dispatch(surface: SignInSurface, remember: Remember, visit: Visit): Promise<void> {
  const { ctx, interaction, base } = visit;
  if (interaction.prompt === 'consent') return seeOther(ctx, `${base}/consent`);
  if (interaction.prompt === 'select_account' && interaction.session && !(await surface.signIn.view(interaction.uid))) {
    return seeOther(ctx, `${base}/select-account`);
  }
  const { step } = await openFlow(surface, visit);
  if (step !== 'done') return seeOther(ctx, `${base}/${pathOf[step]}`);
  const result = await surface.signIn.finish(interaction.uid);
  seeOther(ctx, await surface.interactions.finishSignIn(ctx, { ...result, remember: remember.read(ctx) }));
}
