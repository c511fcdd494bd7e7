/** How often a property is tried: a few times by default, very often in the long form of the tests. */
export const isLong = process.env.POSTERN_TEST_LONG === "1";

export function runs(usual: number): number {
  return isLong ? 100_000 : usual;
}

/** For a test that asks for `runs`. */
export const runsTimeoutMs = isLong ? 1_800_000 : 20_000;
