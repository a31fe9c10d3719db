import type { DomainCommand } from './command.ts';
import { accountLifeCommands } from './commands/account-life.ts';
import { apiKeyCommands } from './commands/api-keys.ts';
import { apiCommands } from './commands/apis.ts';
import { auditCommands } from './commands/audit.ts';
import { auditSteps } from './commands/audit-steps.ts';
import { clientCommands } from './commands/clients.ts';
import { keyCommands } from './commands/keys.ts';
import { revocationCommands } from './commands/revocations.ts';
import { secretCommands } from './commands/secrets.ts';
import { sessionCommands } from './commands/sessions.ts';
import { tokenExchangeCommands } from './commands/token-exchange.ts';
import { userCommands } from './commands/users.ts';
import { importSteps } from './commands/users-import-steps.ts';
import { webhookCommands } from './commands/webhooks.ts';

/** Every command of the command line that a running server executes for the command line. */
export const domainCommands: readonly DomainCommand[] = [
  ...userCommands,
  ...accountLifeCommands,
  ...sessionCommands,
  ...revocationCommands,
  ...clientCommands,
  ...apiCommands,
  ...apiKeyCommands,
  ...tokenExchangeCommands,
  ...keyCommands,
  ...secretCommands,
  ...auditCommands,
  ...webhookCommands,
];

/** What a running server executes: these, and the steps of commands that have more than one. */
export const executable: readonly DomainCommand[] = [...domainCommands, ...importSteps, ...auditSteps];
