/** The officer's routes. */
import * as z from "zod";
import { type Answer, json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { refuseQuery } from "./ask.ts";
import { exportLog } from "./export.ts";
import { exportRoot } from "./export-root.ts";
import { type Followed, followEntries } from "./follow.ts";
import { listEntries } from "./list.ts";
import { exportQuery, filterOf, followQuery, limitOf, listQuery, manifestQuery } from "./query.ts";
import type { ListedEntry } from "./read.ts";
import { describeSaved, type SaveDesk, type SaveQuestion, saveEntries } from "./save.ts";
import { nameSubject } from "./subject.ts";

const listedEntry = z.object({
  index: z.int(),
  id: z.string(),
  time: z.string(),
  event: z.string(),
  actor: z.object({ role: z.string(), id: z.string(), issuer: z.string().nullable(), subject: z.string().nullable() }),
  effect: z.string(),
  code: z.string(),
  purpose: z.string().nullable(),
  /** Why, in the actor's own words. */
  reason: z.string().nullable(),
  type: z.string().nullable(),
  locators: z.array(z.string()),
  fields: z.record(z.string(), z.string()),
  facts: z.record(z.string(), z.unknown()),
  /** `gone`: who and from where was sealed under a key that was destroyed at the end of its month's retention. */
  details: z.enum(["opened", "none", "gone"]),
});
const subjectBody = z.strictObject({ type: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/), id: z.string().min(1).max(256) });
const refusals = ["audit_unavailable", "keys_unavailable", "share_closed"] as const;

export function oversightRoutes(desk: SaveDesk): Route[] {
  return [listRoute(desk), followRoute(desk), subjectRoute(desk), exportRoute(desk), manifestRoute(desk)];
}

function listRoute(desk: SaveDesk): Route {
  return {
    method: "GET",
    path: "/v1/contracts/{contract}/audit/entries",
    summary: "Who saw what: entries of the contract's log, newest first",
    query: listQuery,
    answers: {
      200: {
        media: "application/json",
        description: "A page",
        schema: z.object({ entries: z.array(listedEntry), next: z.string().nullable() }),
      },
    },
    refusals,
    handle: async (received) => {
      const filter = filterOf(received.query);
      if (!filter.ok) return received.turnAway(filter.refusal);
      const question = {
        filter: filter.value,
        cursor: received.query.cursor,
        inGateway: received.query.log !== undefined,
        limit: limitOf(received.query),
      };
      const listed = await listEntries(desk, received.caller, contractOf(received), question);
      if (!listed.ok) return listed;
      const { entries, next } = listed.value;
      return ok(json(JSON.stringify({ entries: entries.map(describeEntry), next })));
    },
  };
}

function followRoute(desk: SaveDesk): Route {
  return {
    method: "GET",
    path: "/v1/contracts/{contract}/audit/tail",
    summary: "Entries as they get their places, from now on or behind a cursor; for ten minutes, then ask again",
    query: followQuery,
    answers: {
      200: {
        media: "application/x-ndjson",
        description: "An entry a line, with the `cursor` behind it; an empty line now and then where nothing comes",
        schema: listedEntry.extend({ cursor: z.string() }),
      },
    },
    refusals,
    handle: async (received) => {
      const filter = filterOf(received.query);
      if (!filter.ok) return received.turnAway(filter.refusal);
      const question = { filter: filter.value, cursor: received.query.cursor };
      const followed = await followEntries(desk, received.caller, contractOf(received), question);
      return followed.ok ? ok({ status: 200, media: "application/x-ndjson", body: linesOf(followed.value) }) : followed;
    },
  };
}

function subjectRoute(desk: SaveDesk): Route {
  return {
    method: "POST",
    path: "/v1/contracts/{contract}/audit/subjects",
    summary: "The names that entries have for a person whom the officer names by the merchant's own id",
    body: {
      media: "application/json",
      bytesMax: 2_048,
      schema: subjectBody,
      description: 'Type and id of the record that stands for the person: `{"type":"customer","id":"U1"}`.',
    },
    answers: {
      200: {
        media: "application/json",
        description: "To search by; any id has names, whether there is such a person or not",
        schema: z.object({ subject: z.string(), locator: z.string() }),
      },
    },
    refusals: ["wrong_state", ...refusals],
    handle: async (received) => {
      const { type, id } = received.body as z.infer<typeof subjectBody>;
      const named = await nameSubject(desk, received.caller, contractOf(received), { type, merchantId: id });
      return named.ok ? ok(json(JSON.stringify(named.value))) : named;
    },
  };
}

function exportRoute(desk: SaveDesk): Route {
  return {
    method: "GET",
    path: "/v1/contracts/{contract}/audit/export",
    summary: "The contract's whole log as a verifiable bundle, or what a filter finds as a file for another system",
    query: exportQuery,
    answers: {
      200: {
        media: "application/x-tar",
        description:
          "`bundle`: the tlog-tiles layout with heads, keys and a manifest; `root`: the same of the gateway log, with what is not about this contract by its hash alone. Others as they are called; header Export-Cursor names the copy",
      },
    },
    refusals: ["wrong_state", ...refusals],
    handle: (received) => (isBundle(received) ? answerBundle(desk, received) : answerCopy(desk, received)),
  };
}

function isBundle({ query }: Received): boolean {
  return query.format === "bundle" || query.format === "root";
}

async function answerBundle(desk: SaveDesk, received: Received): Promise<Result<Answer, Refusal>> {
  const partial = Object.keys(received.query).find((name) => name !== "format");
  if (partial !== undefined) return refuseQuery(partial);
  const take = received.query.format === "root" ? exportRoot : exportLog;
  const bundle = await take(desk, received.caller, contractOf(received));
  if (!bundle.ok) return bundle;
  return ok({ status: 200, headers: attached(received, "tar"), media: "application/x-tar", body: bundle.value });
}

async function answerCopy(desk: SaveDesk, received: Received): Promise<Result<Answer, Refusal>> {
  const question = questionOf(received);
  if (!question.ok) return received.turnAway(question.refusal);
  const saved = await saveEntries(desk, received.caller, contractOf(received), question.value);
  if (!saved.ok) return saved;
  const { format, cursor, body } = saved.value;
  return ok({ status: 200, headers: { ...attached(received, format.extension), "export-cursor": cursor }, media: format.media, body });
}

function manifestRoute(desk: SaveDesk): Route {
  return {
    method: "GET",
    path: "/v1/contracts/{contract}/audit/export/manifest",
    summary: "What the first bytes of an export are: a signed digest, the entries' range, and where to go on if it was cut",
    query: manifestQuery,
    answers: { 200: { media: "application/jose", description: "A compact JWS under the certificate key" } },
    refusals: ["wrong_state", ...refusals],
    handle: async (received) => {
      const question = questionOf(received);
      if (!question.ok) return received.turnAway(question.refusal);
      const bytes = Number(received.query.bytes);
      const manifest = await describeSaved(desk, received.caller, contractOf(received), { ...question.value, bytes });
      return manifest.ok ? ok({ status: 200, media: "application/jose", body: manifest.value }) : manifest;
    },
  };
}

function questionOf({ query }: Received): Result<SaveQuestion, Refusal> {
  const { format, profile, cursor } = query;
  if (profile !== undefined && format !== "ocsf") return refuseQuery("profile");
  const filter = filterOf(query);
  if (!filter.ok) return filter;
  return ok({ format: profile === undefined ? (format as SaveQuestion["format"]) : "integrity", filter: filter.value, cursor });
}

function contractOf({ params }: Received): ContractId {
  return params.contract as ContractId;
}

function attached({ params }: Received, extension: string): Record<string, string> {
  return { "content-disposition": `attachment; filename="${params.contract}.${extension}"` };
}

/** A line is looked for when the reader wants one, and looking ends when the reader goes. */
function linesOf(followed: AsyncGenerator<Followed | null>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await followed.next();
      if (done) return controller.close();
      const line = value === null ? "" : JSON.stringify({ cursor: value.cursor, ...describeEntry(value) });
      controller.enqueue(encoder.encode(`${line}\n`));
    },
    cancel: () => void followed.return(undefined),
  });
}

function describeEntry({ index, entry, details, gone }: ListedEntry): z.infer<typeof listedEntry> {
  const { id, time, event, actor, outcome, reason, resource, facts } = entry;
  return {
    ...{ index, id, time, event },
    actor: { ...actor, issuer: details?.issuer ?? null, subject: details?.subject ?? null },
    effect: outcome.effect,
    code: outcome.code,
    purpose: reason?.purpose ?? null,
    reason: details?.reason ?? null,
    type: resource?.type ?? null,
    locators: resource?.records.map((record) => record.locator) ?? [],
    fields: resource?.fields ?? {},
    facts: facts ?? {},
    details: gone ? "gone" : details === null ? "none" : "opened",
  };
}
