/**
 * How far the database's clock is believed. It decides when a contract ends and when it is purged, so a wrong one must not be able to: a step of more
 * than a day, forward, is a leap, or a gateway that stood still, and nobody can tell which. Until an operator does, or a day of real time has passed,
 * nothing ends, winds down or begins to be purged by it. Access is cut by the dates all the same: that is the safe side. Pure.
 */
export interface ClockStanding {
  /** When it was last looked at, by itself. Milliseconds since 1970, as all of these. */
  readonly beatAt: number;
  /** `null` = it is believed. `from`: before the leap; `at`: behind it. */
  readonly doubt: { readonly from: number; readonly at: number } | null;
  /** Of real time, since the leap. */
  readonly steadyMs: number;
}

const leapMs = 86_400_000;
/** What one beat counts for at most: in between the clock might have leapt again. */
const beatMsMax = 600_000;

/** What is believed after a look at the clock. */
export function beat(before: ClockStanding, now: number): ClockStanding {
  const { beatAt, doubt, steadyMs } = before;
  const step = now - beatAt;
  // A second leap; back to where it was, the first one was a mistake that somebody has mended.
  if (doubt && now - doubt.from <= leapMs) return { beatAt: now, doubt: null, steadyMs: 0 };
  if (step > leapMs) return { beatAt: now, doubt: { from: doubt?.from ?? beatAt, at: now }, steadyMs: 0 };
  if (!doubt) return { beatAt: now, doubt: null, steadyMs: 0 };
  const steady = steadyMs + Math.max(0, Math.min(step, beatMsMax));
  return steady >= leapMs ? { beatAt: now, doubt: null, steadyMs: 0 } : { beatAt: now, doubt, steadyMs: steady };
}

/** For operators. */
export function describeDoubt({ doubt, steadyMs }: ClockStanding): string | null {
  if (!doubt) return null;
  const hours = Math.ceil((leapMs - steadyMs) / 3_600_000);
  const [from, at] = [doubt.from, doubt.at].map((ms) => new Date(ms).toISOString());
  return `the database's clock went from ${from} to ${at}: nothing ends or is purged by it for ${hours} h, or until an operator accepts it`;
}
