import type { DomainCommand } from './command.ts';
import { apiCommands } from './commands/apis.ts';
import { auditCommands } from './commands/audit.ts';
import { clientCommands } from './commands/clients.ts';
import { keyCommands } from './commands/keys.ts';
import { userCommands } from './commands/users.ts';

/** Every command that a running server executes for the command line. */
export const domainCommands: readonly DomainCommand[] = [
  ...userCommands,
  ...clientCommands,
  ...apiCommands,
  ...keyCommands,
  ...auditCommands,
];
