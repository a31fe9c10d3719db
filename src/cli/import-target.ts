import type { Config } from '../config/load.ts';
import { AppError } from '../shared/errors.ts';
import { silentLogger } from '../shared/logger.ts';
import { askOrOpen } from './ask-or-open.ts';
import type { DomainCommand } from './command.ts';
import { callServer } from './control-client.ts';
import { resultOf } from './control-message.ts';

/** Who executes the steps of a command that has many. */
export interface StepTarget extends AsyncDisposable {
  call(step: string, input: unknown): Promise<unknown>;
}

function serverTarget(dataDir: string): StepTarget {
  return {
    async call(command, input) {
      const response = await callServer(dataDir, { command, input });
      if (response) return resultOf(response);
      throw new AppError('unavailable', 'The server ended meanwhile.');
    },
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * The server that runs on the data directory, or the domains on its database when none runs. It stays the same one for
 * all steps; when it goes away in between, the next step throws.
 */
export async function openTarget(
  config: Config,
  steps: readonly DomainCommand[],
  onProgress: (text: string) => void,
): Promise<StepTarget> {
  return askOrOpen(
    async () => {
      const answer = await callServer(config.dataDir, { command: 'ping', input: {} });
      return answer && serverTarget(config.dataDir);
    },
    async () => {
      const { openDomains } = await import('./open-domains.ts');
      const opened = await openDomains(config, { logger: silentLogger(), onProgress });
      return {
        async call(name, input) {
          const step = steps.find((candidate) => candidate.name === name);
          if (!step) throw new Error(`There is no step ${name}.`);
          return step.execute(input, opened.domains);
        },
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    },
  );
}
