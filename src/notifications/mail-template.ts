/** When something happened and from where, for the person to recognise or not. All optional parts are left out of the mail when absent. */
export interface Occasion {
  /** Milliseconds since the epoch, as every time here. */
  readonly at: number;
  readonly ip?: string | undefined;
  /** Browser and system in a few words of ours, see {@link describeBrowser}; never the header itself. */
  readonly browser?: string | undefined;
  /** IANA name; times are UTC without it, or when it is unknown. */
  readonly timeZone?: string | undefined;
}

/** A link to a page of ours. */
export interface LinkData {
  /** Path and query below the issuer, starting with one slash. Anything else is refused when the mail is made. */
  readonly path: string;
  /** Until when it works. */
  readonly expiresAt: number;
}

/** Every mail there is, and what its text is made of. No value is ever markup, and none becomes a header by itself. */
export interface MailData {
  /** Too many wrong tries in a row. */
  readonly 'account-paused': Occasion & { readonly failures: number; readonly until: number };
  readonly 'second-factor-enrolled': Occasion;
  readonly 'backup-code-used': Occasion & { /** Codes that still work. */ readonly left: number };
  /** Other backup codes took the place of those that there were. */
  readonly 'backup-codes-replaced': Occasion;
  /** A sign-in from a browser that the account has not used before. */
  readonly 'new-sign-in': Occasion & { readonly app?: string | undefined };
  readonly 'verify-email': LinkData & Pick<Occasion, 'timeZone'>;
  readonly 'reset-password': LinkData & Occasion;
  /** Goes to the owner of an address that somebody tried to register. */
  readonly 'registration-attempt': Occasion & {
    readonly signInPath?: string | undefined;
    readonly resetPath?: string | undefined;
  };
  readonly 'password-changed': Occasion & { readonly resetPath?: string | undefined };
  /** Goes to the address that the account has, when it is to have another one. */
  readonly 'email-change-requested': Occasion & { readonly resetPath?: string | undefined };
  /** Signs that somebody else may use the account. */
  readonly 'unusual-activity': Occasion & {
    /** Sentences. */
    readonly signs: readonly string[];
    /** The sign-in or session was ended for them. */
    readonly ended: boolean;
    readonly resetPath?: string | undefined;
  };
  /** Goes to the address that the account had until now. */
  readonly 'email-changed': Occasion;
  readonly 'sign-in-code': Occasion & {
    /** Eight digits. */
    readonly code: string;
    readonly expiresAt: number;
    /** Whoever asked for it knows the password. */
    readonly afterPassword?: boolean | undefined;
  };
  readonly 'sign-in-link': LinkData & Occasion;
  /** Goes to the address that the account is to have. */
  readonly 'change-email': LinkData & Occasion;
  readonly invitation: LinkData & Pick<Occasion, 'timeZone'>;
  /** A way back in that an administrator made. */
  readonly 'recovery-link': LinkData & Pick<Occasion, 'timeZone'>;
  readonly 'account-recovered': Occasion;
  readonly 'second-factor-removed': Occasion;
  readonly 'passkey-added': Occasion & PasskeyName;
  readonly 'passkey-removed': Occasion & PasskeyName;
  readonly 'deletion-scheduled': Occasion & {
    readonly deletesAt: number;
    /** Where the person can keep the account until then. */
    readonly keepPath?: string | undefined;
  };
  readonly 'account-deleted': Occasion;
  /** Goes to operators, about the installation. */
  readonly 'operator-alert': {
    readonly at: number;
    /** Name of the rule, as metrics and the log have it. */
    readonly rule: string;
    readonly kind: 'raised' | 'resolved';
    /** When it began. */
    readonly since: number;
    /** One sentence with the number. */
    readonly summary: string;
  };
}

interface PasskeyName {
  /** What its owner calls it; the first 60 characters are shown. */
  readonly passkey?: string | undefined;
}

export type MailTemplate = keyof MailData;

/** At most `max` mails in any `windowSeconds`, for one mailbox and one template; likewise for one account. */
export interface Cap {
  readonly max: number;
  readonly windowSeconds: number;
}

const hourly: Cap = { max: 5, windowSeconds: 3600 };
const daily: Cap = { max: 3, windowSeconds: 86_400 };

/**
 * How many of each kind a mailbox gets. There is no limit over warnings and other mails together: with one, a stranger who asks for
 * reset links could use up what a real warning needs.
 */
export const caps: Readonly<Record<MailTemplate, Cap>> = {
  'account-paused': hourly,
  'second-factor-enrolled': hourly,
  'backup-code-used': hourly,
  'backup-codes-replaced': hourly,
  'new-sign-in': hourly,
  'verify-email': hourly,
  'reset-password': hourly,
  'registration-attempt': daily,
  'password-changed': hourly,
  'email-change-requested': hourly,
  'unusual-activity': hourly,
  'email-changed': hourly,
  'sign-in-code': hourly,
  'sign-in-link': hourly,
  'change-email': hourly,
  invitation: hourly,
  'recovery-link': hourly,
  'account-recovered': hourly,
  'second-factor-removed': hourly,
  'passkey-added': hourly,
  'passkey-removed': hourly,
  'deletion-scheduled': hourly,
  'account-deleted': hourly,
  // Each rule at most twice an hour, with its end.
  'operator-alert': { max: 30, windowSeconds: 3600 },
};

/** The mails that a stranger can have sent to an address by typing it somewhere. They have one more cap, together. */
export const strangerCap: SharedCap = {
  templates: [
    'verify-email',
    'reset-password',
    'registration-attempt',
    'sign-in-code',
    'sign-in-link',
    'change-email',
  ] satisfies MailTemplate[],
  max: 10,
  windowSeconds: 3600,
};

/** A cap over several templates together, for one mailbox. */
export interface SharedCap extends Cap {
  readonly templates: readonly string[];
}

/** The words of a mail. */
export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Makes the words. @throws Error for a template it does not know, or a link that leads anywhere but to the issuer. */
export type RenderMail = <Template extends MailTemplate>(template: Template, data: MailData[Template]) => MailContent;
