/**
 * The external anchor: how far each log was published, kept where a restored database does not reach (another volume, a second database).
 * Trusted to remember: whoever can take it away together with the database sets the log back unnoticed by the gateway, not by witnesses.
 */
import type { CompactRange } from "./tree.ts";

/** A head that was published, or was about to be. Its range rather than its root: what came after is checked against it by its leaves alone. */
export interface AnchoredHead {
  readonly origin: string;
  readonly range: CompactRange;
  /** How many entries the origin's epoch carried on from; 0 in a log's first. */
  readonly begun: number;
}

export interface Anchor {
  /** `null` = looked, nothing of this log was published. Throws where it could not tell: then nothing is signed. */
  read(log: string): Promise<AnchoredHead | null>;
  /** Names of all logs that were ever published. */
  logs(): Promise<readonly string[]>;
  /** Durable when it resolves. Never back: a head of an earlier epoch, or of the same and not longer, is left out. */
  advance(log: string, head: AnchoredHead): Promise<void>;
}
