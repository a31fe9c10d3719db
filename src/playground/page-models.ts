import type { Problem } from './explain-problem.ts';
import type { PlaygroundApi } from './options.ts';
import type { ReadToken } from './read-token.ts';
import type { Call, Check, CodeRun, DeviceRun, Run } from './run.ts';

/** A name, its value and what it is for. */
export interface Row {
  readonly name: string;
  readonly value: string;
  readonly meaning?: string | undefined;
}

/** The form of step 1, filled with what was sent before when something has to be put right. */
export interface BuildPage {
  readonly scopes: readonly {
    readonly name: string;
    readonly meaning?: string | undefined;
    readonly ticked: boolean;
  }[];
  readonly acrValues: readonly string[];
  readonly prompts: readonly (readonly [value: string, meaning: string])[];
  readonly apis: readonly PlaygroundApi[];
  readonly canPush: boolean;
  readonly canBind: boolean;
  readonly values: Readonly<Record<string, string>>;
  readonly problems: Readonly<Record<string, string>>;
  /** A push that the server refused. */
  readonly call?: Call | undefined;
  readonly signedOut?: boolean | undefined;
}

export interface RequestPage {
  readonly run: CodeRun;
  /** What the browser carries. */
  readonly sent: readonly Row[];
  /** What was pushed beforehand. */
  readonly pushed?: readonly Row[] | undefined;
  readonly curl: string;
  readonly code: string;
}

export interface AnswerPage {
  readonly run: CodeRun;
  readonly url: string;
  readonly checks: readonly Check[];
  readonly problem?: Problem | undefined;
  /** Whether the code may be exchanged: every check passed and nobody did it yet. */
  readonly ready: boolean;
  /** The next step without the playground. A DPoP proof cannot be made with curl. */
  readonly byHand?: { readonly curl: string; readonly code: string } | undefined;
  /** An exchange that failed. */
  readonly call?: Call | undefined;
}

export interface TokensPage {
  readonly run: Run;
  readonly now: Date;
  readonly accessToken: ReadToken;
  readonly idToken?: ReadToken | undefined;
  /** How a service verifies this access token by itself, when it can. */
  readonly verifyCode?: string | undefined;
  readonly can: {
    readonly userinfo: boolean;
    readonly refresh: boolean;
    readonly introspect: boolean;
    readonly revoke: boolean;
    readonly signOut: boolean;
  };
}

export interface DevicePage {
  readonly scope: string;
  readonly run?: DeviceRun | undefined;
  readonly call?: Call | undefined;
}

export interface MachinePage {
  readonly scope: string;
  readonly resource: string;
  readonly apis: readonly PlaygroundApi[];
  readonly call?: Call | undefined;
}

export interface ProblemPage {
  readonly problem: Problem;
}

/** Every page of the playground and what it is made of. */
export interface PageModels {
  readonly build: BuildPage;
  readonly request: RequestPage;
  readonly answer: AnswerPage;
  readonly tokens: TokensPage;
  readonly device: DevicePage;
  readonly machine: MachinePage;
  readonly problem: ProblemPage;
}

export type PageName = keyof PageModels;
