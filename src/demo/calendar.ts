/**
 * Civil days, counted from the first start of the demo.
 */
const dayMs = 86_400_000;

/** Milliseconds of the day's UTC midnight. Throws a RangeError on a day that does not exist. */
export function parseDay(text: string): number {
  const at = Date.parse(`${text}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(at) || dayText(at) !== text)
    throw new RangeError("not a day of the form YYYY-MM-DD");
  return at;
}

export function dayAfter(at: number, days: number): string {
  return dayText(at + days * dayMs);
}

/** RFC 3339 at a second of the day, in China's time. */
export function momentAfter(at: number, days: number, second: number): string {
  return `${new Date(at + days * dayMs + second * 1000).toISOString().slice(0, 19)}+08:00`;
}

function dayText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** The civil day in China. */
export function dayInChina(now: Date): { readonly day: string; readonly midnight: Date } {
  const day = new Date(now.getTime() + 8 * 3_600_000).toISOString().slice(0, 10);
  return { day, midnight: new Date(`${day}T00:00:00+08:00`) };
}
