import type Router from '@koa/router';
import { pollDevice, startDeviceRun, startMachineRun } from './other-flows.ts';
import { formOf, type PageContext, runOf, seeOther, show, visitFor } from './page-context.ts';
import { keepRun } from './visits.ts';

/** The device flow: a television asks, a person enters its code elsewhere. */
export function addDevicePages(router: Router, context: PageContext): void {
  router.get('/device', async (ctx) => {
    await context.party.metadata();
    show(ctx, context, 'device', { scope: 'openid profile offline_access' });
  });

  router.post('/device', async (ctx) => {
    const scope = (await formOf(ctx, context)).get('scope')?.trim() ?? '';
    const { run, call } = await startDeviceRun(context, scope);
    if (!run) return show(ctx, context, 'device', { scope, call }, 502);
    keepRun(visitFor(ctx, context), run);
    seeOther(ctx, `/device/${run.id}`);
  });

  router.get('/device/:id', (ctx) => {
    const run = runOf(ctx, context, 'device');
    if (run.tokens) return seeOther(ctx, `/runs/${run.id}/tokens`);
    show(ctx, context, 'device', { scope: run.scope, run, call: run.calls.at(-1) });
  });

  router.post('/device/:id', async (ctx) => {
    await formOf(ctx, context);
    const run = runOf(ctx, context, 'device');
    if (!run.tokens) run.calls.splice(1, Infinity, await pollDevice(context, run));
    seeOther(ctx, run.tokens ? `/runs/${run.id}/tokens` : `/device/${run.id}#latest`);
  });
}

/** Client credentials: a machine asks for itself. */
export function addMachinePages(router: Router, context: PageContext): void {
  const { apis } = context;

  router.get('/machine', async (ctx) => {
    await context.party.metadata();
    const api = apis[0];
    show(ctx, context, 'machine', { scope: api?.scopes.join(' ') ?? '', resource: api?.identifier ?? '', apis });
  });

  router.post('/machine', async (ctx) => {
    const form = await formOf(ctx, context);
    const [scope, resource] = [form.get('scope')?.trim() ?? '', form.get('resource')?.trim() ?? ''];
    const { run, call } = await startMachineRun(context, scope, resource);
    if (!run) return show(ctx, context, 'machine', { scope, resource, apis, call }, 502);
    keepRun(visitFor(ctx, context), run);
    seeOther(ctx, `/runs/${run.id}/tokens`);
  });
}
