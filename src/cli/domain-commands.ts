import type { DomainCommand } from './command.ts';
import { accountLifeCommands } from './commands/account-life.ts';
import { apiCommands } from './commands/apis.ts';
import { auditCommands } from './commands/audit.ts';
import { clientCommands } from './commands/clients.ts';
import { keyCommands } from './commands/keys.ts';
import { sessionCommands } from './commands/sessions.ts';
import { userCommands } from './commands/users.ts';
import { importSteps } from './commands/users-import-steps.ts';

/** Every command of the command line that a running server executes for the command line. */
export const domainCommands: readonly DomainCommand[] = [
  ...userCommands,
  ...accountLifeCommands,
  ...sessionCommands,
  ...clientCommands,
  ...apiCommands,
  ...keyCommands,
  ...auditCommands,
];

/** What a running server executes: these, and the steps of commands that have more than one. */
export const executable: readonly DomainCommand[] = [...domainCommands, ...importSteps];
