/**
 * The hours of a contract: on which days, from when to when, in its own zone. A shift that ends before it begins runs past midnight and belongs to the day it
 * began on. Where the clocks change, the civil time counts as it is shown.
 */
import * as z from "zod";

const dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** 1 = Monday … 7 = Sunday; minutes of the day, `to` not included and at most 1,440. */
export interface Hours {
  readonly days: readonly number[];
  readonly from: number;
  readonly to: number;
}

const dayMinutes = 1_440;
const time = /^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/;

const fromSchema = z.string().regex(time, 'a time, as "09:00"');
const toSchema = z.string().refine((text) => time.test(text) || text === "24:00", 'a time, as "18:00", at most "24:00"');
const dayWord = z.string().refine((text) => parseDays(text) !== null, `a day or a range of days, of ${dayNames.join(", ")}, as mon-fri`);
const hoursEntry = z
  .strictObject({
    days: z.union([dayWord, z.array(dayWord).min(1)], { error: "days, as mon-fri or [mon, wed]" }).default("mon-sun"),
    from: fromSchema,
    to: toSchema,
  })
  .refine(({ from, to }) => from !== to, { error: "it ends when it begins", path: ["to"] });

export const hoursSchema = z.union([hoursEntry, z.array(hoursEntry).min(1).max(50)]);
export const hoursEntrySchema = hoursEntry;

export type HoursShape = z.output<typeof hoursEntry>;

export function readHours({ days, from, to }: HoursShape): Hours {
  const listed = (Array.isArray(days) ? days : [days]).flatMap((text) => parseDays(text) ?? []);
  return { days: [...new Set(listed)].sort((a, b) => a - b), from: minuteOf(from), to: minuteOf(to) };
}

const shiftsMax = 14;

/** A seat's shifts as one text: `mon-fri 09:00-18:00; sat sun 22:00-06:00`; without days, every day. `null` = not of this form. */
export function parseShifts(text: string): Hours[] | null {
  const entries = text.split(";").map((entry) => {
    const [times = "", ...days] = entry.trim().split(/\s+/).reverse();
    const [from, to, more] = times.split("-");
    const read = hoursEntry.safeParse({ ...(days.length > 0 && { days }), from, to });
    return read.success && more === undefined ? readHours(read.data) : null;
  });
  const hours = entries.filter((entry) => entry !== null);
  return hours.length === entries.length && hours.length <= shiftsMax ? hours : null;
}

/** `minute`: of the day. */
export function isWithin(hours: readonly Hours[], { weekday, minute }: { readonly weekday: number; readonly minute: number }): boolean {
  const yesterday = weekday === 1 ? 7 : weekday - 1;
  return hours.some(({ days, from, to }) => {
    if (from < to) return days.includes(weekday) && minute >= from && minute < to;
    return (days.includes(weekday) && minute >= from) || (days.includes(yesterday) && minute < to);
  });
}

/** `mon`, `mon-fri`, `sat-mon`; `null` = no days. */
function parseDays(text: string): number[] | null {
  const names: readonly string[] = dayNames;
  const [first = "", last = first, more] = text.split("-");
  const [from, to] = [names.indexOf(first), names.indexOf(last)];
  if (more !== undefined || from < 0 || to < 0) return null;
  const count = ((to - from + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => ((from + index) % 7) + 1);
}

function minuteOf(text: string): number {
  const minute = Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
  return Math.min(minute, dayMinutes);
}
