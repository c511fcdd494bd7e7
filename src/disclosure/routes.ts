/** The agent's routes. */
import * as z from "zod";
import { formatPromise } from "../audit/index.ts";
import { type Answer, json, type Received, type Route, waitOf } from "../http/index.ts";
import { type ContractId, type Locator, ok, printJson, type Refusal, type Result, refuse } from "../kernel/index.ts";
import type { MaskingNote } from "../policy/index.ts";
import { noteMax, type RequestKind, requestKinds } from "../requests/index.ts";
import type { Ask, Want } from "./ask.ts";
import { contextOf, seatRefusals } from "./context.ts";
import { type Disclosed, disclose } from "./disclose.ts";
import type { Upstream } from "./forward.ts";
import { type HandedOn, handOn } from "./hand-on.ts";
import { type Me, me } from "./me.ts";
import type { MaskedRecord } from "./open.ts";
import { upstreamRoutes } from "./upstream-route.ts";

const masking = z.array(
  z.object({ path: z.string(), class: z.string(), treatment: z.string(), why: z.string(), can: z.array(z.string()) }),
);
const maskedRecord = z.object({ type: z.string(), locator: z.string(), fields: z.record(z.string(), z.unknown()), masking });
const searchBody = z.strictObject({ by: z.record(z.string().max(128), z.string().min(1).max(512)) });
const requestBody = z.strictObject({ kind: z.enum(requestKinds), note: z.string().min(1).max(noteMax).optional() });
const seatSchema = z.object({ contract: z.string(), role: z.string(), standing: z.string(), ends_at: z.iso.datetime() });
const meAnswer = z.object({ contracts: z.array(seatSchema) });

export function disclosureRoutes(deps: Upstream): Route[] {
  return [
    ...upstreamRoutes(deps),
    {
      method: "GET",
      path: "/v1/contracts/{contract}/records/{type}/{locator}",
      summary: "One masked record",
      answers: {
        200: { media: "application/json", description: "The record; header Audit-Promise proves its entry", schema: maskedRecord },
      },
      refusals,
      handle: async (received) => {
        const asked = askOf(received, { kind: "read", locator: received.params.locator as Locator });
        return asked.ok ? answerRead(await disclose(deps, asked.value), received) : received.turnAway(asked.refusal);
      },
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/records/{type}/search",
      summary: "Masked records by exact match on one searchable field, or on the merchant's own `id`",
      body: {
        media: "application/json",
        bytesMax: 4_096,
        schema: searchBody,
        description: 'One field: `{"by":{"phone":"138 0013 8000"}}`.',
      },
      answers: {
        200: {
          media: "application/json",
          description: "At most 20",
          schema: z.object({ records: z.array(maskedRecord), more: z.boolean() }),
        },
      },
      refusals,
      handle: async (received) => {
        const want = wantOf(received.body as z.infer<typeof searchBody>);
        const asked = want.ok ? askOf(received, want.value) : want;
        return asked.ok ? answerSearch(await disclose(deps, asked.value), received) : received.turnAway(asked.refusal);
      },
    },
    {
      method: "POST",
      path: "/v1/contracts/{contract}/records/{type}/{locator}/requests",
      summary: "Hand on to the merchant what the customer asks: access, correction or erasure",
      body: {
        media: "application/json",
        bytesMax: 16_384,
        schema: requestBody,
        description: '`{"kind":"correction","note":"the new address is …"}`: the note is for the merchant alone.',
      },
      answers: {
        201: {
          media: "application/json",
          description: "Received, and until when the merchant has to answer",
          schema: z.object({ request: z.string(), kind: z.string(), received_at: z.iso.datetime(), due_at: z.iso.datetime() }),
        },
      },
      refusals,
      handle: async (received) => {
        const asked = askOf(received, { kind: "read", locator: received.params.locator as Locator });
        if (!asked.ok) return received.turnAway(asked.refusal);
        const { kind, note } = received.body as z.infer<typeof requestBody>;
        return answerHandedOn(await handOn(deps, asked.value, { kind, note }), kind, received);
      },
    },
    {
      method: "GET",
      path: "/v1/me",
      summary: "The caller's seats",
      answers: { 200: { media: "application/json", description: "Contracts, role, standing, end", schema: meAnswer } },
      refusals: ["audit_unavailable"],
      handle: async (received) => answerMe(await me(deps, received.caller)),
    },
  ];
}

const refusals = [...seatRefusals, "record_damaged"] as const;

function wantOf({ by }: z.infer<typeof searchBody>): Result<Want, Refusal> {
  const [only, ...others] = Object.entries(by);
  if (!only || others.length > 0) return refuse({ code: "unacceptable", errors: [{ pointer: "/by", code: "one_field" }] });
  const [field, value] = only;
  return ok({ kind: "search", field, value });
}

function askOf(received: Received, want: Want): Result<Ask, Refusal> {
  const context = contextOf(received);
  if (!context.ok) return context;
  const { params } = received;
  return ok({ ...received.caller, ...context.value, contract: params.contract as ContractId, type: params.type ?? "", want });
}

function answerRead(disclosed: Result<Disclosed, Refusal>, received: Received): Result<Answer, Refusal> {
  if (!disclosed.ok) return disclosed;
  const [record] = disclosed.value.records;
  return record ? ok(json(recordText(record), promiseHeaders(disclosed.value, received))) : refuse({ code: "not_found" });
}

function answerSearch(disclosed: Result<Disclosed, Refusal>, received: Received): Result<Answer, Refusal> {
  if (!disclosed.ok) return disclosed;
  const { records, more } = disclosed.value;
  return ok(json(`{"records":[${records.map(recordText).join(",")}],"more":${more}}`, promiseHeaders(disclosed.value, received)));
}

function answerHandedOn(handed: Result<HandedOn, Refusal>, kind: RequestKind, received: Received): Result<Answer, Refusal> {
  if (!handed.ok) return handed;
  const { id, receivedAt, dueAt } = handed.value;
  const [received_at, due_at] = [new Date(receivedAt).toISOString(), new Date(dueAt).toISOString()];
  return ok(json(JSON.stringify({ request: id, kind, received_at, due_at }), promiseHeaders(handed.value, received), 201));
}

/** Numbers keep their digits. */
function recordText({ type, locator, fields, masking: notes }: MaskedRecord): string {
  return `{"type":${JSON.stringify(type)},"locator":"${locator}","fields":${printJson(fields)},"masking":${notesText(notes)}}`;
}

/** The same for every record of a decision, and most of an answer. */
const notesTexts = new WeakMap<readonly MaskingNote[], string>();

function notesText(notes: readonly MaskingNote[]): string {
  const known = notesTexts.get(notes);
  if (known !== undefined) return known;
  const text = JSON.stringify(notes.map(({ path, class: name, treatment, why, can }) => ({ path, class: name, treatment, why, can })));
  notesTexts.set(notes, text);
  return text;
}

/** Whoever would wait for the receipt is told where: the keeper has it, and the edge may not read the log. */
function promiseHeaders({ promise }: Pick<Disclosed, "promise">, { header, params }: Received): Record<string, string> {
  const promised = { "audit-promise": formatPromise(promise) };
  if (waitOf(header("prefer"), 1) === 0) return promised;
  return { ...promised, link: `</log/${params.contract}/receipt/${promise.id}>; rel="related"; title="receipt"` };
}

function answerMe(mine: Result<Me, Refusal>): Result<Answer, Refusal> {
  if (!mine.ok) return mine;
  const contracts = mine.value.contracts.map(({ endsAt, ...seat }) => ({ ...seat, ends_at: new Date(endsAt).toISOString() }));
  return ok(json(JSON.stringify({ contracts })));
}
