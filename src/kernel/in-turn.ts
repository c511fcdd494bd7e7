/**
 * Works through all of them, one at a time, and only then throws what befell some: one contract's fault does not hold up another's.
 * Throws the fault itself where it is the only one, an AggregateError where there are more.
 */
export async function inTurn<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const faults: unknown[] = [];
  for (const item of items) {
    try {
      await work(item);
    } catch (fault) {
      faults.push(fault);
    }
  }
  if (faults.length > 1)
    throw new AggregateError(faults, faults.map((fault) => (fault instanceof Error ? fault.name : "fault")).join(", "));
  if (faults.length === 1) throw faults[0];
}
