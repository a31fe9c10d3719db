import type { DPoPHandle } from 'openid-client';
import type { Exchange } from './exchange.ts';
import type { Problem } from './explain-problem.ts';
import type { RequestSettings } from './request-settings.ts';

/** What the token endpoint gave, and when. Times are milliseconds since the epoch. */
export interface TokenSet {
  readonly accessToken: string;
  readonly tokenType: string;
  readonly receivedAt: number;
  readonly expiresAt?: number;
  readonly refreshToken?: string;
  readonly idToken?: string;
  readonly scope?: string;
}

/** Something the playground did, with the requests it took and how to do the same by hand. */
export interface Call {
  readonly title: string;
  readonly exchanges: readonly Exchange[];
  /** The same with openid-client. */
  readonly code: string;
  /** What to notice in the answer. */
  readonly note?: string;
  readonly problem?: Problem;
}

interface RunParts {
  readonly id: string;
  /** Oldest first. */
  readonly calls: Call[];
  tokens?: TokenSet;
}

/** A check of an answer, as the page lists it. */
export interface Check {
  readonly name: string;
  readonly passed: boolean;
  readonly text: string;
}

/** The address bar's part of a code flow: what was asked and what came back. */
export interface CodeRun extends RunParts {
  readonly kind: 'code';
  readonly settings: RequestSettings;
  /** What the browser is sent to. */
  readonly url: string;
  /** What it stands for, also when it was pushed. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The key that this run's tokens are bound to (RFC 9449). */
  readonly dpop?: DPoPHandle;
  answer?: { readonly url: string; readonly checks: readonly Check[]; readonly problem?: Problem };
}

export interface DeviceRun extends RunParts {
  readonly kind: 'device';
  readonly scope: string;
  readonly deviceCode: string;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete?: string;
  readonly expiresAt: number;
}

export interface MachineRun extends RunParts {
  readonly kind: 'machine';
  readonly scope: string;
  readonly resource?: string;
}

/** One go at a flow. */
export type Run = CodeRun | DeviceRun | MachineRun;
