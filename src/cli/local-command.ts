import type { z } from 'zod';
import { type CommandShape, readOptions } from './command.ts';

export interface Outcome {
  /** Printed with `--json`. */
  readonly result: unknown;
  /** Printed otherwise; empty prints nothing. */
  readonly text: string;
  readonly exitCode: 0 | 1;
}

/** Where a command reads its configuration and tells what takes time. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (text: string) => void;
  /** Standard output, for commands that write more than one result; to be waited for. */
  readonly out: (text: string) => unknown;
}

/** A command that is about this machine or process, so that no running server can do it for us. */
export interface LocalCommand extends CommandShape {
  /** @throws AppError, ConfigError */
  runHere(input: unknown, surroundings: Surroundings): Promise<Outcome>;
}

interface Definition<Schema extends z.ZodObject> extends CommandShape {
  readonly schema: Schema;
  run(input: z.output<Schema>, surroundings: Surroundings): Promise<Outcome>;
}

/** Makes a command out of its typed parts. */
export const defineLocalCommand = <Schema extends z.ZodObject>(definition: Definition<Schema>): LocalCommand => ({
  ...definition,
  runHere: async (input, surroundings) => definition.run(readOptions(definition, input), surroundings),
});
