import type { Config } from '../config/load.ts';
import { AppError } from '../shared/errors.ts';
import { silentLogger } from '../shared/logger.ts';
import { askOrOpen } from './ask-or-open.ts';
import type { DomainCommand } from './command.ts';
import { callServer } from './control-client.ts';
import { resultOf } from './control-message.ts';
import type { Domains } from './domains.ts';

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

interface Opening {
  readonly onProgress: (text: string) => void;
  /**
   * What happens where there is no database: it is refused, which is the default; it is made; or the steps work on one in
   * memory, which suits those that only look.
   */
  readonly without?: 'refuse' | 'make' | 'look';
  /** The first step. A database is only made when that one is accepted. */
  readonly first?: { readonly step: string; readonly input: unknown };
}

/**
 * The server that runs on the data directory, or the domains on its database when none runs. It stays the same one for
 * all steps; when it goes away in between, the next step throws.
 */
export async function openTarget(
  config: Config,
  steps: readonly DomainCommand[],
  { onProgress, without = 'refuse', first }: Opening,
): Promise<StepTarget> {
  const execute = (domains: Domains, name: string, input: unknown): Promise<unknown> => {
    const step = steps.find((candidate) => candidate.name === name);
    if (!step) throw new Error(`There is no step ${name}.`);
    return step.execute(input, domains);
  };
  return askOrOpen(
    async () => {
      const answer = await callServer(config.dataDir, { command: 'ping', input: {} });
      return answer && serverTarget(config.dataDir);
    },
    async () => {
      const { isMissing, openDomains, openInMemory, tryInMemory } = await import('./open-domains.ts');
      const make = without === 'make';
      if (make && first) await tryInMemory(config, (domains) => execute(domains, first.step, first.input));
      const opened =
        without === 'look' && isMissing(config)
          ? await openInMemory(config)
          : await openDomains(config, { logger: silentLogger(), onProgress, make });
      return {
        call: async (name, input) => execute(opened.domains, name, input),
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      };
    },
  );
}
