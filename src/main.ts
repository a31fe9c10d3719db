import { serve } from './app/serve.ts';
import { ConfigError } from './config/load.ts';
import { reasonOf } from './shared/errors.ts';

try {
  await serve(process.env);
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `Sallyport could not start: ${reasonOf(error)}`}\n`,
  );
  process.exitCode = 1;
}
