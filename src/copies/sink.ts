/**
 * Another system that is told what the log holds. A sink is a copy's reader: the log does not know of it, and nothing that it does or fails to do
 * reaches the log.
 */
import type { Copied } from "./copy.ts";

export interface Sink {
  /** As the operator's file calls it; where it stands is kept under this name. */
  readonly name: string;
  /**
   * Hands a batch over. Answers what the other side has looked at and will never take, by place in the batch; all else it has.
   * Throws SinkUnavailable where it does not, or where that is uncertain: then the whole batch comes again.
   */
  deliver(batch: readonly Copied[]): Promise<readonly DeadLetter[]>;
}

export interface DeadLetter {
  readonly at: number;
  /** Short; what the other side calls it, never what the entry holds. */
  readonly reason: string;
}

export class SinkUnavailable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "SinkUnavailable";
  }
}

/** What another system calls an error, so far as it can be repeated. */
export function reasonOf(text: unknown): string {
  return typeof text === "string" && /^[\w .:-]{1,80}$/.test(text) ? text : "unnamed error";
}
