export function createLimits(_: unknown) {
  return { refreshes: { take: async () => 0 }, attempts: { blockedFor: async () => 0, failed: async () => {} }, protocol: [] as any[] };
}
