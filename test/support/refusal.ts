import { AppError } from '../../src/shared/errors.ts';

/** The error that `work` must be refused with. @throws what else it failed with, or that it did not fail */
export async function refusal(work: Promise<unknown>): Promise<AppError> {
  const error = await work.then(
    () => new Error('It was not refused.'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw error;
}

/** The code of that error. */
export const refusalCode = async (work: Promise<unknown>): Promise<AppError['code']> => (await refusal(work)).code;
