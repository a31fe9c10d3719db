import type Router from '@koa/router';
import { AppError } from '../shared/errors.ts';
import { curlOfAddress } from './curl.ts';
import { parameterMeanings, scopeMeanings } from './meanings.ts';
import { formOf, type PageContext, runOf, seeOther, show, visitFor, visitOf } from './page-context.ts';
import type { BuildPage, Row } from './page-models.ts';
import { receiveAnswer } from './receive-answer.ts';
import { redeemByHand, redeemCode } from './redeem-code.ts';
import { prompts, readSettings } from './request-settings.ts';
import { codeFor } from './snippets.ts';
import { startCodeRun } from './start-code-run.ts';
import { keepRun } from './visits.ts';

const defaults: Readonly<Record<string, string>> = {
  'scope-openid': 'on',
  'scope-profile': 'on',
  'scope-email': 'on',
};

const rowOf = ([name, value]: [string, string]): Row => ({ name, value, meaning: parameterMeanings[name] });

async function buildModel(
  { party, apis }: PageContext,
  values: Readonly<Record<string, string>>,
  extra: Partial<BuildPage> = {},
): Promise<BuildPage> {
  const metadata = await party.metadata();
  const offered = metadata.scopes_supported ?? Object.keys(scopeMeanings);
  const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  return {
    scopes: Object.keys(scopeMeanings)
      .filter((name) => offered.includes(name))
      .map((name) => ({ name, meaning: scopeMeanings[name], ticked: values[`scope-${name}`] === 'on' })),
    acrValues: strings(metadata.acr_values_supported),
    prompts: Object.entries(prompts),
    apis,
    canPush: metadata.pushed_authorization_request_endpoint !== undefined,
    canBind: strings(metadata.dpop_signing_alg_values_supported).includes('ES256'),
    values,
    problems: {},
    ...extra,
  };
}

function buildRoutes(router: Router, context: PageContext): void {
  router.get('/', async (ctx) => {
    const visit = visitOf(ctx, context);
    const state = typeof ctx.query.state === 'string' ? ctx.query.state : undefined;
    const signedOut = state !== undefined && state === visit?.signOutState;
    show(ctx, context, 'build', await buildModel(context, defaults, { signedOut }));
  });

  router.post('/runs', async (ctx) => {
    const form = await formOf(ctx, context);
    const values = Object.fromEntries(form);
    const read = readSettings(form);
    if (!read.ok)
      return show(ctx, context, 'build', await buildModel(context, values, { problems: read.problems }), 400);
    const { run, call } = await startCodeRun(context, read.settings, context.origin);
    if (!run) return show(ctx, context, 'build', await buildModel(context, values, { call }), 502);
    keepRun(visitFor(ctx, context), run);
    seeOther(ctx, `/runs/${run.id}`);
  });

  router.get('/runs/:id', (ctx) => {
    const run = runOf(ctx, context, 'code');
    const pushed = run.settings.par ? Object.entries(run.parameters).map(rowOf) : undefined;
    show(ctx, context, 'request', {
      run,
      sent: [...new URL(run.url).searchParams].map(rowOf),
      pushed,
      curl: curlOfAddress(run.url),
      code: codeFor.authorize(
        { issuer: context.party.issuer, ...context.clients.playground },
        run.parameters,
        run.settings.par,
      ),
    });
  });
}

/** Steps 1 to 3 of the code flow, and the exchange that leads to step 4. */
export function addCodePages(router: Router, context: PageContext): void {
  buildRoutes(router, context);

  router.get('/callback', (ctx) => {
    const { state } = ctx.query;
    const run = [...(visitOf(ctx, context)?.runs.values() ?? [])].find(
      (one) => one.kind === 'code' && one.state === state,
    );
    if (run?.kind !== 'code') {
      throw new AppError(
        'forbidden',
        'This answer belongs to no run of this browser: its state is unknown here. An app has to refuse it, because somebody else may have started it (CSRF). Start a new run.',
      );
    }
    if (!run.answer) receiveAnswer(run, new URL(ctx.url, context.origin), context.party.issuer);
    seeOther(ctx, `/runs/${run.id}/answer`);
  });

  router.get('/runs/:id/answer', async (ctx) => {
    const run = runOf(ctx, context, 'code');
    if (!run.answer) return seeOther(ctx, `/runs/${run.id}`);
    const { url, checks, problem } = run.answer;
    const ready = !run.tokens && !problem && checks.every(({ passed }) => passed);
    const call = run.tokens ? undefined : run.calls.findLast((one) => one.problem);
    const byHand = ready && !run.dpop ? await redeemByHand(context, run, url) : undefined;
    show(ctx, context, 'answer', { run, url, checks, problem, ready, call, byHand });
  });

  router.post('/runs/:id/tokens', async (ctx) => {
    await formOf(ctx, context);
    const run = runOf(ctx, context, 'code');
    if (run.tokens) return seeOther(ctx, `/runs/${run.id}/tokens`);
    if (!run.answer || run.answer.problem || !run.answer.checks.every(({ passed }) => passed)) {
      throw new AppError('conflict', 'There is no answer to exchange in this run. Go through the steps in order.');
    }
    run.calls.push(await redeemCode(context, run, run.answer.url));
    seeOther(ctx, run.tokens ? `/runs/${run.id}/tokens` : `/runs/${run.id}/answer`);
  });
}
