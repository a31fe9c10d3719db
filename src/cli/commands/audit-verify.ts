import { z } from 'zod';
import type { ChainCheck, ChainFault, ChainStatus } from '../../audit/index.ts';
import { readConfig } from '../../config/load.ts';
import { headOption, headText } from '../audit-options.ts';
import { openTarget } from '../import-target.ts';
import { defineLocalCommand } from '../local-command.ts';
import { auditSteps } from './audit-steps.ts';

const faultText = ({ number, kind, eventId }: ChainFault): string =>
  ({
    changed: `Number ${number} was changed: the event ${eventId ?? ''} or its link.`,
    missing: `Number ${number} is missing.`,
    inserted: `Event ${eventId ?? ''} was slipped in before number ${number}.`,
    'other-head': `Number ${number} has another hash than expected: the chain was computed anew.`,
  })[kind];

const events = (count: number): string => `${count} ${count === 1 ? 'event' : 'events'}`;

function report({ checked, erased, backdated, last, fault }: ChainCheck, { waiting, start }: ChainStatus) {
  const result = {
    ok: fault === undefined,
    ...(fault && { fault }),
    checked,
    erased,
    backdated,
    removedUpTo: start.number,
    waiting,
    last: headText(last),
  };
  const lines = [
    fault ? `${faultText(fault)} Trust nothing from there on.` : `The audit log holds. ${events(checked)} checked.`,
    ...(start.number > 0 ? [`It begins after number ${start.number}; what came before was too old to keep.`] : []),
    ...(erased > 0 ? [`${events(erased)} without the personal part, which was erased.`] : []),
    ...(backdated > 0
      ? [`${events(backdated)} dated more than an hour before an earlier one. Look whether a clock was wrong.`]
      : []),
    ...(waiting > 0 ? [`${events(waiting)} not sealed yet.`] : []),
    `${fault ? 'Good up to' : 'Head'}: ${headText(last)}`,
  ];
  return { result, text: lines.join('\n') };
}

const every = 100_000;

/** Checks the whole log in parts, with the running server where there is one. */
export const auditVerify = defineLocalCommand({
  name: 'audit verify',
  summary: 'Check that no event of the audit log was changed, removed or added since it was sealed.',
  schema: z.object({
    from: z.coerce.number().int().min(1).optional().describe('Begin with this number, and trust what is before.'),
    expect: headOption
      .optional()
      .describe('A head that was kept elsewhere, number:hash. The chain has to pass through it.'),
  }),
  example: 'sallyport audit verify --expect 48210:9f86d0…',
  async run({ from, expect: expected }, { env, onProgress }) {
    await using target = await openTarget(readConfig(env), auditSteps, { onProgress });
    const question = { ...(from !== undefined && { from }), ...(expected && { expected }) };
    const step = async (check?: ChainCheck): Promise<ChainCheck> =>
      (await target.call('audit verify step', { ...question, ...(check && { check }) })) as ChainCheck;
    let check = await step();
    let told = 0;
    while (check.phase !== 'done' && !check.fault) {
      check = await step(check);
      if (check.checked - told < every) continue;
      told = check.checked;
      onProgress(`${events(told)} checked`);
    }
    const status = (await target.call('audit verify status', {})) as ChainStatus;
    return { ...report(check, status), exitCode: check.fault ? 1 : 0 };
  },
});
