/**
 * Things to close at the end, last opened first. It stands in for `AsyncDisposableStack`, which Node 22 does not have.
 */
export class Resources implements AsyncDisposable {
  readonly #closers: (() => Promise<void> | void)[] = [];

  /** Takes a resource over; undefined is taken as nothing. */
  use<T extends AsyncDisposable | Disposable | undefined>(resource: T): T {
    if (resource && Symbol.asyncDispose in resource)
      this.#closers.push(() => resource[Symbol.asyncDispose]() as Promise<void>);
    else if (resource) this.#closers.push(() => (resource as Disposable)[Symbol.dispose]());
    return resource;
  }

  /** Closes all, also when one of them fails; the first failure is thrown at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Runs `work` with resources that are closed when it fails, and belong to its result when it does not. */
export async function withResources<T>(work: (resources: Resources) => Promise<T>): Promise<T> {
  const resources = new Resources();
  try {
    return await work(resources);
  } catch (error) {
    await resources[Symbol.asyncDispose]().catch(() => undefined);
    throw error;
  }
}
