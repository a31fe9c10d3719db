import type { BrowserSession } from '../../oidc/index.ts';
import type { FlowView } from '../../sign-in/index.ts';
import { doorsOf } from '../doors.ts';
import type { Doors } from '../page-models.ts';

/** The doors that this session really went through. */
export function sessionDoors(session: BrowserSession): Doors {
  const { amr } = session;
  const passkey = amr.includes('swk') || amr.includes('hwk');
  if (passkey && !amr.includes('pwd') && session.acr === 'aal2') return { first: { state: 'open', label: 'Passkey' } };
  const { first, second = passkey ? ({ state: 'open', label: 'Passkey' } as const) : undefined } = doorsOf(session);
  if (amr.includes('pwd')) {
    const mailed = amr.includes('email') ? ({ state: 'open', label: 'Mailed code' } as const) : undefined;
    return { first, ...((second ?? mailed) && { second: second ?? mailed }) };
  }
  return { first: { ...first, label: 'Mailbox' }, ...(second && { second }) };
}

/** What opened the first door of a sign-in, when it was not the password. */
export const firstDoorOf = ({ proven = [] }: FlowView): string | undefined =>
  !proven.includes('pwd') && proven.includes('email') ? 'Mailbox' : undefined;
