export const startJobs = (_: unknown): AsyncDisposable => ({ async [Symbol.asyncDispose]() {} });
