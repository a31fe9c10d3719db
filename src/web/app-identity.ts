/** The app that a person is on the way to. It comes from client metadata, so nothing in it is trusted markup. */
export interface AppIdentity {
  readonly name: string;
  /** Where its people start, for links back; http(s) only, anything else is not linked. */
  readonly uri?: string | undefined;
  /** Host that the answer goes to, as a person would read it. */
  readonly domain?: string | undefined;
  /** `data:image/…` or a path of ours; the Content-Security-Policy loads nothing else. */
  readonly logo?: string | undefined;
}

export type CodeError = 'missing' | 'mismatch' | 'used' | 'paused';
