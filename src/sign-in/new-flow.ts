import { sha256 } from '../shared/crypto.ts';
import type { Evidence } from './evidence.ts';
import { type Flow, toMilliseconds, unstored } from './flow.ts';
import { countedEvidence } from './next-step.ts';
import type { SignInParts } from './parts.ts';
import type { NewSignIn } from './sign-in-types.ts';

/** A hint that can be shown and stored, undefined for anything else. */
const readHint = (hint: string | undefined): string | undefined => {
  const text = hint?.trim() ?? '';
  return text !== '' && text.length <= 254 && !/[\p{Cc}\p{Cs}]/u.test(text) ? text : undefined;
};

const worthKeeping = (evidence: Evidence | undefined): Evidence | undefined =>
  evidence && evidence.methods.length > 0 ? evidence : undefined;

/** The flow as it is before its first step; made from the same request it is the same each time. */
export function newFlow({ clock, policy }: SignInParts, flowId: string, input: NewSignIn): Flow {
  const now = clock.now();
  const createdAt = input.startedAt ?? now;
  const evidence = worthKeeping(countedEvidence(input.session, input.requirement));
  const loginHint = readHint(input.loginHint);
  return {
    id: sha256(flowId),
    clientId: input.clientId,
    requirement: input.requirement,
    wrongCodes: 0,
    unseenCodes: false,
    offerPasskey: false,
    createdAt,
    expiresAt: createdAt + toMilliseconds(policy.flowSeconds),
    version: unstored,
    ...(loginHint !== undefined && { loginHint }),
    ...(evidence && { evidence, challengeEndsAt: now + toMilliseconds(policy.challengeSeconds) }),
  };
}
