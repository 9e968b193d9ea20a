/** CPU seconds of this process so far. */
export function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export const immediate = () => new Promise((resolve) => setImmediate(resolve));
