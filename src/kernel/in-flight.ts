/** Counts what is under way per name, so that a fence can wait until what began before it has ended. */
export interface InFlight {
  run<Value>(name: string, work: () => Promise<Value>): Promise<Value>;
  /** Resolves once nothing of `name` is under way in this process. */
  idle(name: string): Promise<void>;
  /** Resolves once nothing of `name` is under way that was when it was asked: what begins later is not waited for. */
  passed(name: string): Promise<void>;
}

/** What began between two fences. */
interface Generation {
  count: number;
  readonly wake: (() => void)[];
}

export function createInFlight(): InFlight {
  /** The newest generation last; only that one grows. */
  const generations = new Map<string, Generation[]>();
  const leave = (name: string, generation: Generation): void => {
    generation.count--;
    if (generation.count > 0) return;
    const left = (generations.get(name) ?? []).filter((other) => other.count > 0);
    if (left.length > 0) generations.set(name, left);
    else generations.delete(name);
    for (const wake of generation.wake.splice(0)) wake();
  };
  const newest = (name: string): Generation => {
    const found = generations.get(name)?.at(-1);
    if (found) return found;
    const made: Generation = { count: 0, wake: [] };
    generations.set(name, [made]);
    return made;
  };
  const passed = async (name: string): Promise<void> => {
    const before = (generations.get(name) ?? []).filter(({ count }) => count > 0);
    if (before.length === 0) return;
    generations.set(name, [...before, { count: 0, wake: [] }]);
    await Promise.all(before.map((generation) => new Promise<void>((resolve) => void generation.wake.push(resolve))));
  };
  return {
    async run(name, work) {
      const generation = newest(name);
      generation.count++;
      try {
        return await work();
      } finally {
        leave(name, generation);
      }
    },
    async idle(name) {
      while (generations.has(name)) await passed(name);
    },
    passed,
  };
}
