/** The ladder of a rotation. */

/**
 * The acts, in their order: a new epoch is made; every key is wrapped under it; the index is rebuilt under a new key, which searches ask with from then on;
 * the old epochs are retired, so that nobody opens them, and nobody writes under the old index key; its rows go; the old epochs are destroyed, the share
 * without a backup first. Each is idempotent, has an entry before and after, and is done once its `….done` entry is durable and the job stands at it.
 */
export const acts = ["epoch", "rewrap", "index", "retire", "index_drop", "share_b", "share_a"] as const;
export type Act = (typeof acts)[number];

/** Where a job stands: what is behind it. `abandoned`: the contract's purge came, and destroys every epoch. */
export const steps = ["requested", ...acts, "abandoned"] as const;
export type Step = (typeof steps)[number];

export function isStep(text: string): text is Step {
  return (steps as readonly string[]).includes(text);
}

/** Those of a rotation that leaves the index key where it is, or of one that moves it as well. */
export function actsOf(movesIndex: boolean): readonly Act[] {
  return acts.filter((act) => movesIndex || (act !== "index" && act !== "index_drop"));
}

/** `null` = the job is at its end. */
export function nextAct(step: Step, movesIndex: boolean): Act | null {
  if (step === "abandoned") return null;
  return actsOf(movesIndex).find((act) => steps.indexOf(act) > steps.indexOf(step)) ?? null;
}

export function isOver(step: Step): boolean {
  return step === "share_a" || step === "abandoned";
}
