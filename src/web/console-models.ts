import type { IconName } from './icons.ts';

/** What stands around the pages of a console. */
export interface ConsoleShell {
  /** Name of the console, beside ours. */
  readonly area: string;
  /** Its first page. */
  readonly home: string;
  readonly who?: { readonly name: string; readonly initials: string } | undefined;
  readonly groups: readonly {
    readonly label?: string | undefined;
    readonly links: readonly {
      readonly href: string;
      readonly label: string;
      readonly icon?: IconName | undefined;
      readonly current?: boolean | undefined;
    }[];
  }[];
}

/** Somebody is signed in who may not open this page. */
export interface DeniedPage {
  readonly who: string;
  readonly reference: string;
  /** The page, for whoever comes back with another account. */
  readonly returnTo: string;
}

/** A line drawing over seven days, ready to print: paths for a box of 700 by 200. */
export interface ChartModel {
  /** Texts of the grid lines, from the top. */
  readonly scale: readonly string[];
  readonly days: readonly {
    /** Below the drawing. */
    readonly short: string;
    /** In the table. */
    readonly long: string;
    readonly first: string;
    readonly second: string;
    readonly share: string;
  }[];
  readonly title: string;
  /** The drawing in one sentence. */
  readonly description: string;
  readonly area: string;
  readonly first: string;
  readonly second: string;
  readonly firstDots: string;
  readonly secondDots: string;
  /** What to see in it. */
  readonly caption: string;
}

export interface AdminOverviewPage {
  readonly shell: ConsoleShell;
  readonly lead: string;
  readonly tiles: readonly { readonly label: string; readonly value: string; readonly hint: string }[];
  readonly chart: ChartModel;
  readonly events: readonly {
    readonly text: string;
    readonly failed: boolean;
    /** Whom or what it was about. */
    readonly about: string;
    readonly by: string;
    readonly from: string;
    readonly at: Date;
    /** The event in the audit log. */
    readonly href: string;
  }[];
  readonly keys: readonly {
    readonly kid: string;
    readonly alg: string;
    readonly state: { readonly label: string; readonly tone: 'ok' | 'warn' | 'plain' };
    readonly since: Date;
    readonly next?: { readonly label: string; readonly at: Date } | undefined;
  }[];
  readonly clients: readonly {
    readonly id: string;
    readonly name: string;
    readonly kind: string;
    readonly traits: readonly string[];
    readonly disabled: boolean;
    readonly createdAt: Date;
  }[];
  /** Set when there are more apps than the list shows. */
  readonly moreClients?: string | undefined;
  readonly links: readonly { readonly href: string; readonly label: string; readonly hint: string }[];
}

/** A field of a request or an answer, as the API docs list it. */
export interface ApiField {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
  /** Where a parameter goes; absent for fields of a body. */
  readonly place?: string | undefined;
}

export interface ApiDocsPage {
  readonly shell: ConsoleShell;
  readonly title: string;
  /** Paragraphs. */
  readonly introduction: readonly string[];
  readonly documentUrl: string;
  readonly scopes: readonly { readonly name: string; readonly description: string }[];
  readonly problems: readonly { readonly status: string; readonly title: string; readonly description: string }[];
  readonly groups: readonly {
    readonly id: string;
    readonly name: string;
    readonly description: string;
    readonly operations: readonly {
      readonly id: string;
      readonly method: string;
      readonly path: string;
      readonly summary: string;
      readonly description: string;
      /** What it takes to be let in. */
      readonly access: string;
      readonly parameters: readonly ApiField[];
      /** The body's media type and its fields. */
      readonly body?: { readonly type: string; readonly fields: readonly ApiField[] } | undefined;
      readonly responses: readonly {
        readonly status: string;
        readonly description: string;
        readonly fields: readonly ApiField[];
        /** Ready to print. */
        readonly example?: string | undefined;
      }[];
      readonly curl: string;
    }[];
  }[];
}
