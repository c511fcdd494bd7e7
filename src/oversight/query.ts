/** What an officer's question may say, parameter by parameter. What is not understood is refused: nobody shall believe to have filtered by it. */
import * as z from "zod";
import { eventNames, gatewayLog } from "../audit/index.ts";
import { formatNames } from "../copies/index.ts";
import { isId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { treatmentNames } from "../masking/index.ts";
import { type Filter, refuseQuery } from "./ask.ts";

const limitDefault = 50;

/** Before 1970 there is no log, and at the ends of the calendar Postgres and JavaScript disagree about years and offsets. */
const lastInstantMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const instant = z.iso.datetime({ offset: true }).refine((text) => Date.parse(text) >= 0 && Date.parse(text) <= lastInstantMs);

const filter = {
  actor: z
    .string()
    .max(400)
    .refine((text) => /^(a_[a-z2-7]{26}|system|unknown)$/.test(text) || isPerson(text))
    .describe("A pseudonym `a_…`, `system`, `unknown`, or `issuer/subject`")
    .optional(),
  subject: z
    .string()
    .regex(/^[sr]_[a-z2-7]{26}$/)
    .describe("A pseudonym `s_…` or a locator `r_…`; POST …/audit/subjects names both for a merchant's own id")
    .optional(),
  effect: z.enum(["allow", "deny"]).optional(),
  event: z.enum(eventNames).optional(),
  purpose: z.string().min(1).max(256).describe("A purpose code of the contract").optional(),
  field: z.string().min(1).max(256).describe("A policy path that left").optional(),
  treatment: z.enum(treatmentNames).exclude(["withhold"]).describe("At which `field` left, or any field").optional(),
  from: instant.describe("Inclusive").optional(),
  to: instant.describe("Exclusive").optional(),
};
const cursor = z.string().min(1).max(200).optional();

export const listQuery = z.strictObject({
  ...filter,
  log: z.literal(gatewayLog).describe("What the gateway's log holds about the contract, rather than the contract's own").optional(),
  cursor,
  limit: z
    .string()
    .regex(/^([1-9][0-9]?|1[0-9]{2}|200)$/)
    .optional(),
});

export const followQuery = z.strictObject({ ...filter, cursor });

export const exportQuery = z.strictObject({
  ...filter,
  format: z.enum(["bundle", "root", ...formatNames]),
  profile: z.literal("record_integrity").describe("Of `ocsf`: version 1.9, each event with its digest").optional(),
  cursor,
});

export const manifestQuery = z.strictObject({
  ...filter,
  format: z.enum(formatNames),
  profile: z.literal("record_integrity").optional(),
  cursor: z.string().min(1).max(200).describe("The export's header Export-Cursor"),
  bytes: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,14})$/)
    .describe("How long the file is"),
});

type Query = Readonly<Record<string, string>>;

export function limitOf({ limit }: Query): number {
  return limit === undefined ? limitDefault : Number(limit);
}

export function filterOf(query: Query): Result<Filter, Refusal> {
  const { actor, subject, effect, event, purpose, field, treatment } = query;
  const [from, to] = [inUtc(query.from), inUtc(query.to)];
  if (from !== undefined && to !== undefined && from > to) return refuseQuery("to");
  const whole = { actor, subject, effect, event, purpose, field, treatment, from, to };
  return ok(Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined)));
}

/** Postgres and JavaScript read an offset of 24 hours differently; both know UTC. */
function inUtc(text: string | undefined): string | undefined {
  return text && new Date(text).toISOString();
}

function isPerson(text: string): boolean {
  const at = text.indexOf("/");
  return at > 0 && at < text.length - 1 && isId(text.slice(0, at));
}
