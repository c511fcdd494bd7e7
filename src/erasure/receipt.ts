/**
 * What an erasure's receipt may say. Pure. Here the person is unreadable at once; a copy in a backup holds their key wrapped under an epoch, and opens
 * for as long as one share of every such epoch is not destroyed. The key was wrapped under no epoch later than the one it was deleted under.
 */
import type { KeyEpoch } from "../keys/index.ts";
import type { Erasure } from "./postgres.ts";

export interface Closing {
  /** Milliseconds; `null` = not yet. */
  readonly closedAt: number | null;
  /** The epochs whose destruction is still awaited. */
  readonly awaits: readonly number[];
}

export function closingOf(
  { epoch, erasedAt }: Pick<Erasure, "epoch" | "erasedAt">,
  epochs: readonly Pick<KeyEpoch, "epoch" | "destroyedAt">[],
): Closing {
  if (erasedAt === null) return { closedAt: null, awaits: [] };
  const held = epochs.filter((other) => epoch !== null && other.epoch <= epoch);
  const awaits = held.filter(({ destroyedAt }) => destroyedAt === null).map((other) => other.epoch);
  if (awaits.length > 0) return { closedAt: null, awaits };
  return { closedAt: Math.max(erasedAt, ...held.map(({ destroyedAt }) => destroyedAt ?? 0)), awaits };
}
