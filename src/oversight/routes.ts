/** The officer's routes. */
import * as z from "zod";
import { json, type Route } from "../http/index.ts";
import { type ContractId, ok } from "../kernel/index.ts";
import { type ExportDesk, exportLog } from "./export.ts";
import { type Filter, type Listed, type ListedEntry, listEntries } from "./list.ts";

const limitMax = 200;
const limitDefault = 50;

/** Before 1970 there is no log, and at the ends of the calendar Postgres and JavaScript disagree about years and offsets. */
const lastInstantMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const instant = z.iso.datetime({ offset: true }).refine((text) => Date.parse(text) >= 0 && Date.parse(text) <= lastInstantMs);

const listQuery = z.strictObject({
  actor: z.string().min(1).max(400).optional(),
  subject: z.string().min(1).max(64).optional(),
  effect: z.enum(["allow", "deny"]).optional(),
  from: instant.optional(),
  to: instant.optional(),
  cursor: z.string().min(1).max(200).optional(),
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/)
    .refine((text) => Number(text) <= limitMax)
    .optional(),
});
const exportQuery = z.strictObject({ format: z.literal("bundle") });
const listedEntry = z.object({
  index: z.int(),
  id: z.string(),
  time: z.string(),
  event: z.string(),
  actor: z.object({ role: z.string(), id: z.string(), issuer: z.string().nullable(), subject: z.string().nullable() }),
  effect: z.string(),
  code: z.string(),
  purpose: z.string().nullable(),
  type: z.string().nullable(),
  locators: z.array(z.string()),
  fields: z.record(z.string(), z.string()),
  facts: z.record(z.string(), z.unknown()),
});

export function oversightRoutes(desk: ExportDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/audit/entries",
      who: "officer",
      summary: "Who saw what: entries of the contract's log, newest first",
      query: listQuery,
      answers: {
        200: {
          media: "application/json",
          description: "A page",
          schema: z.object({ entries: z.array(listedEntry), next: z.string().nullable() }),
        },
      },
      refusals: ["audit_unavailable", "keys_unavailable"],
      handle: async (received) => {
        const listed = await listEntries(desk, received.caller, received.params.contract as ContractId, filterOf(received.query));
        return listed.ok ? ok(json(JSON.stringify(describe(listed.value)))) : listed;
      },
    },
    {
      method: "GET",
      path: "/v1/contracts/{contract}/audit/export",
      who: "officer",
      summary: "The contract's whole log as a verifiable bundle",
      query: exportQuery,
      answers: { 200: { media: "application/x-tar", description: "tlog-tiles layout with heads, keys and a manifest" } },
      refusals: ["wrong_state", "audit_unavailable", "keys_unavailable"],
      handle: async (received) => {
        const bundle = await exportLog(desk, received.caller, received.params.contract as ContractId);
        if (!bundle.ok) return bundle;
        const headers = { "content-disposition": `attachment; filename="${received.params.contract}.tar"` };
        return ok({ status: 200, headers, media: "application/x-tar", body: bundle.value });
      },
    },
  ];
}

function filterOf({ limit, from, to, ...rest }: Readonly<Record<string, string>>): Filter {
  return { ...rest, from: inUtc(from), to: inUtc(to), limit: limit === undefined ? limitDefault : Number(limit) };
}

function inUtc(text: string | undefined): string | undefined {
  return text === undefined ? undefined : new Date(text).toISOString();
}

function describe({ entries, next }: Listed): { entries: z.infer<typeof listedEntry>[]; next: string | null } {
  return { entries: entries.map(describeEntry), next };
}

function describeEntry({ index, entry, details }: ListedEntry): z.infer<typeof listedEntry> {
  const { id, time, event, actor, outcome, reason, resource, facts } = entry;
  return {
    ...{ index, id, time, event },
    actor: { ...actor, issuer: details?.issuer ?? null, subject: details?.subject ?? null },
    effect: outcome.effect,
    code: outcome.code,
    purpose: reason?.purpose ?? null,
    type: resource?.type ?? null,
    locators: resource?.records.map((record) => record.locator) ?? [],
    fields: resource?.fields ?? {},
    facts: facts ?? {},
  };
}
