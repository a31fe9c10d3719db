import { type AuditType, auditTypes } from './event.ts';

/** Which events to look for; all that is given has to fit. */
export interface AuditFilter {
  /** An account or client id, or `operator`, `system`, `stranger`. */
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
  /** A type such as `sign_in.failed`, or what types begin with: `sign_in`. */
  readonly type?: string | undefined;
  readonly outcome?: 'success' | 'failure' | undefined;
  readonly clientId?: string | undefined;
  readonly ip?: string | undefined;
  readonly requestId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** From this moment on, milliseconds since the epoch. */
  readonly from?: number | undefined;
  /** Before this moment. */
  readonly to?: number | undefined;
  /** Text in the details, letters of either case. */
  readonly text?: string | undefined;
}

/** Actors that have no id. */
export const namelessActors: ReadonlySet<string> = new Set(['operator', 'system', 'stranger']);

const groupOf = (type: string): string => type.slice(0, type.indexOf('.'));

/** The words that types begin with, in their order. */
export const auditGroups = (types: readonly AuditType[]): string[] => [...new Set(types.map(groupOf))];

/** Types that begin with a word are asked for as `sign_in`, `sign_in.` or `sign_in.*`; undefined when one type is meant. */
export const groupAsked = (type: string): string | undefined =>
  /^[^.]*(\.\*?)?$/.test(type) ? type.replace(/\.\*?$/, '') : undefined;

/** Whether this asks for anything that there is: one type, or a group of them. */
export const isTypeAsked = (type: string): boolean => {
  const group = groupAsked(type);
  return auditTypes.some((one) => (group === undefined ? one === type : groupOf(one) === group));
};

/** Takes what SQL's `like` would read as a wildcard for what it is. */
export const escapeLike = (text: string): string => text.replace(/[\\%_]/g, (sign) => `\\${sign}`);
