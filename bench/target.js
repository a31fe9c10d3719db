/** The hash that both servers use: OWASP's argon2id parameters. */
export const argon2Cost = { memoryKiB: 19_456, passes: 2 };
export const usage = () => {
    const { user, system } = process.cpuUsage();
    return { cpuMicros: user + system, rss: process.memoryUsage.rss() };
};
