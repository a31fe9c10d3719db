import { type Door, doorsOf } from './doors.ts';
import { besiege } from './siege.ts';
import type { StageName } from './stages.ts';

const fitting: Partial<Record<StageName, readonly string[]>> = {
  login: ['/login', '/cancel'],
  totp: ['/second-factor', '/backup-code'],
  'enroll-totp': ['/enroll', '/backup-codes'],
  consent: ['/consent', '/select-account'],
};

/** Doors whose page is the one that the stage shows; the others only redirect. */
const isFitting = ({ path, stage }: Door): boolean =>
  !path.startsWith('{base}') || (stage !== undefined && fitting[stage]?.includes(path.slice('{base}'.length)) === true);

besiege('hostile requests', { doors: doorsOf, isSwept: isFitting });
