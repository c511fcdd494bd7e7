/** Counts what is under way per name, so that a fence can wait until what began before it has ended. */
export interface InFlight {
  run<Value>(name: string, work: () => Promise<Value>): Promise<Value>;
  /** Resolves once nothing of `name` is under way in this process. */
  idle(name: string): Promise<void>;
}

export function createInFlight(): InFlight {
  const counts = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();
  const leave = (name: string): void => {
    const left = (counts.get(name) ?? 1) - 1;
    if (left > 0) {
      counts.set(name, left);
      return;
    }
    counts.delete(name);
    for (const wake of waiting.get(name) ?? []) wake();
    waiting.delete(name);
  };
  return {
    async run(name, work) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      try {
        return await work();
      } finally {
        leave(name);
      }
    },
    idle(name) {
      if (!counts.has(name)) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.set(name, [...(waiting.get(name) ?? []), resolve]);
      });
    },
  };
}
