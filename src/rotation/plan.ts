/** The ladder of a rotation. */

/**
 * The acts, in their order: a new epoch is made; every key is wrapped under it; the old epochs are retired, so that nobody opens them; they are destroyed,
 * the share without a backup first. Each is idempotent, has an entry before and after, and is done once its `….done` entry is durable and the job stands at it.
 */
export const acts = ["epoch", "rewrap", "retire", "share_b", "share_a"] as const;
export type Act = (typeof acts)[number];

/** Where a job stands: what is behind it. `abandoned`: the contract's purge came, and destroys every epoch. */
export const steps = ["requested", ...acts, "abandoned"] as const;
export type Step = (typeof steps)[number];

export function isStep(text: string): text is Step {
  return (steps as readonly string[]).includes(text);
}

/** `null` = the job is at its end. */
export function nextAct(step: Step): Act | null {
  if (step === "abandoned") return null;
  return acts[steps.indexOf(step)] ?? null;
}

export function isOver(step: Step): boolean {
  return nextAct(step) === null;
}
