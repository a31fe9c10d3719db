import type { Context } from 'koa';
import type { PasswordReason } from '../../credentials/index.ts';
import type { RecoveryView } from '../../recovery/index.ts';
import type { RecoverPage } from '../entry-models.ts';
import type { Form } from '../http/form.ts';
import { metaOf } from '../request-meta.ts';
import { deadLink, type EntrySurface, entryPaths, linkRoute, showLinkPage } from './surface.ts';

const path = entryPaths.recover;

type Usable = Extract<RecoveryView, { outcome: 'usable' }>;
type Task = Pick<Usable, 'lost' | 'removes'>;

interface Problem {
  readonly error?: RecoverPage['error'];
  readonly triesLeft?: number;
  readonly reasons?: readonly PasswordReason[];
}

const taskOf = ({ lost, removes }: Task) => ({
  lost: { password: lost === 'password' },
  removes: { authenticator: removes.includes('authenticator'), passkeys: removes.includes('passkeys') },
});

async function show(
  surface: EntrySurface,
  ctx: Context,
  token: string | undefined,
  { reasons, ...problem }: Problem = {},
): Promise<void> {
  const view = token ? await surface.recovery.viewLink(token) : undefined;
  if (view?.outcome !== 'usable') {
    const { state, status } = deadLink(token);
    return showLinkPage(surface, ctx, 'recover', { state }, status);
  }
  const { email, accountId, proof } = view;
  const rules = await surface.passwordPolicy.rulesFor(proof === 'code', accountId);
  const model = {
    ...problem,
    ...taskOf(view),
    state: 'usable',
    token,
    email,
    asksPassword: proof === 'password',
    asksCode: proof === 'code',
    newPassword: view.lost === 'password' ? { rules, reasons } : undefined,
  } as const;
  await showLinkPage(surface, ctx, 'recover', model, problem.error || reasons ? 422 : 200);
}

async function submit(surface: EntrySurface, ctx: Context, form: Form): Promise<void> {
  const { recovery, link, attempts } = surface;
  const meta = metaOf(ctx);
  const token = form.get('token') ?? '';
  const [password, code, newPassword] = [form.get('password'), form.get('code'), form.get('new-password')];
  const view = await recovery.viewLink(token);
  if (view.outcome !== 'usable') return show(surface, ctx, token);
  // An empty field is no try.
  const proof = { password, code, nothing: 'nothing' }[view.proof];
  if (!proof) return show(surface, ctx, token, { error: 'missing' });
  const result = await recovery.useLink(token, { password, code, newPassword }, meta);
  if (result.outcome === 'wrong') return show(surface, ctx, token, { error: 'mismatch', triesLeft: result.triesLeft });
  if (result.outcome === 'refused') return show(surface, ctx, token, { reasons: result.reasons });
  if (result.outcome !== 'done') return show(surface, ctx, token);
  await attempts.forget(meta.ip, result.accountId);
  link.settle(ctx, path, { ...taskOf(result), state: 'done' });
}

/** Uses a recovery link that an operator made, together with what the person still has. */
export const recoverRoute = linkRoute('recover', path, show, submit);
