import { AppError } from '../shared/errors.ts';
import type { Advance } from './flow-store.ts';
import type { SignInParts } from './parts.ts';
import type { FlowView, RequestMeta } from './sign-in-types.ts';
import { getSituation, type Situation, situationOf, viewOf } from './situation.ts';
import { takeStep } from './take-step.ts';

const stay = ({ flow }: Situation): Advance | undefined =>
  flow.evidence && { evidence: flow.evidence, unseenCodes: flow.unseenCodes };

/** Makes other codes for somebody who lost the page with the first ones before saying that they are stored. */
export async function renewBackupCodes(
  parts: SignInParts,
  flowId: string,
  meta: RequestMeta,
): Promise<readonly string[]> {
  const { flows, credentials, clock } = parts;
  const situation = await getSituation(parts, flowId);
  const { flow, account, step } = situation;
  const change = stay(situation);
  if (step !== 'show-backup-codes' || !account || !change) {
    throw new AppError('conflict', 'Backup codes are shown once, right after they are made.');
  }
  const prepared = await credentials.backupCodes.prepare();
  const next = await takeStep(flows, flow, clock.now(), async () => {
    await credentials.backupCodes.put(account.id, prepared, { ...meta, clientId: flow.clientId });
    return change;
  });
  if (next === 'moved') throw new AppError('conflict', 'Other backup codes were made meanwhile. Load the page again.');
  return prepared.codes;
}

/** Goes on from the codes. Where there are none to acknowledge, it only says where the sign-in stands. */
export async function acknowledgeBackupCodes(parts: SignInParts, flowId: string): Promise<FlowView> {
  const { flows, clock } = parts;
  const situation = await getSituation(parts, flowId);
  const change = stay(situation);
  if (situation.step !== 'show-backup-codes' || !change) return viewOf(parts, situation);
  const next = await flows.advance(situation.flow, { ...change, unseenCodes: false }, clock.now());
  return viewOf(parts, next ? await situationOf(parts, next) : await getSituation(parts, flowId));
}
