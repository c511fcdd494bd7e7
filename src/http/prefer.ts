/** RFC 7240: what a client would like, and is not owed. What is malformed is as if it had not been said. */

/** Whole seconds that the client would wait for a better answer, at most `secondsMax`; 0 where it asks for none. */
export function waitOf(prefer: string | null, secondsMax: number): number {
  const [, seconds] = /(?:^|,)[ \t]*wait[ \t]*=[ \t]*"?([0-9]{1,9})"?[ \t]*(?:[;,]|$)/i.exec(prefer ?? "") ?? [];
  return Math.min(Number(seconds ?? 0), secondsMax);
}
