/** Time that this thread worked, not time that passed: other processes of a busy machine do not count. */
export function cpuMilliseconds(work: () => unknown): number {
  const started = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(started);
  return (user + system) / 1_000;
}
