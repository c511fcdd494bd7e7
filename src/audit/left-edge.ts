/** Where an export begins. */
export interface LeftEdge {
  /** The first place that is there. */
  readonly first: number;
  readonly roots: readonly Uint8Array[];
  /** By writer: with which number those go on that had written before. */
  readonly carried: ReadonlyMap<string, number>;
  /** Milliseconds: what was promised before it may be gone. */
  readonly until: number;
}

/** Of a log of which nothing was pruned. */
export const wholeEdge: LeftEdge = { first: 0, roots: [], carried: new Map(), until: 0 };
