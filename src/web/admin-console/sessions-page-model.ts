import type { ConsoleShell } from '../console-models.ts';
import type { IconName } from '../icons.ts';

/** Where an account is signed in, and which apps were told of sessions that ended. */
export interface AdminSessionsPage {
  readonly shell: ConsoleShell;
  readonly csrf?: string;
  /** What was done a moment ago. */
  readonly done?: string | undefined;
  /** What was searched for; empty before. */
  readonly q: string;
  /** Undefined when nobody was searched for or found. */
  readonly person?: {
    readonly name: string;
    readonly id: string;
    readonly sessions: readonly {
      readonly id: string;
      readonly name: string;
      readonly icon: IconName;
      readonly ip?: string | undefined;
      readonly place?: string | undefined;
      readonly since: Date;
      readonly lastActive: Date;
      readonly secondFactor: boolean;
      /** 0 to 100. */
      readonly trust: number;
      readonly unusual: readonly string[];
      readonly apps: readonly string[];
    }[];
  };
  /** Newest first. */
  readonly logouts: readonly {
    readonly id: string;
    readonly app: string;
    readonly at: Date;
    readonly text: string;
    readonly tone: 'ok' | 'warn' | 'danger' | 'plain';
    readonly tries: number;
    readonly error?: string | undefined;
  }[];
}
