/** Data subjects' requests, for the merchant's owners. */
import * as z from "zod";
import { type Answer, json, type Received, type Route } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type RefusalCode, type Result } from "../kernel/index.ts";
import { noteMax, requestKinds, requestOutcomes, type SubjectRequest } from "../requests/index.ts";
import type { RightsDesk } from "./desk.ts";
import { type Report, reportOn } from "./report.ts";
import { listRequests, readRequest, receiveRequest, settleRequest } from "./requests.ts";

const requestsPath = "/v1/contracts/{contract}/subject-requests";
const refusals = ["wrong_state", "audit_unavailable", "keys_unavailable", "share_closed"] as const satisfies readonly RefusalCode[];

const requestSchema = z.object({
  request: z.string(),
  kind: z.enum(requestKinds),
  type: z.string(),
  locator: z.string(),
  received_at: z.iso.datetime(),
  due_at: z.iso.datetime(),
  state: z.enum(["open", "overdue", ...requestOutcomes]),
  closed_at: z.iso.datetime().nullable(),
});
const receivedBody = z.strictObject({
  kind: z.enum(requestKinds),
  type: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/),
  id: z.string().min(1).max(512),
  note: z.string().min(1).max(noteMax).optional(),
});
const closeBody = z.strictObject({ outcome: z.enum(requestOutcomes) });
const reportSchema = z.object({
  request: requestSchema,
  subject: z.string(),
  held: z.array(z.object({ type: z.string(), locator: z.string(), id: z.string().nullable(), fields: z.array(z.string()) })),
  seen: z.array(
    z.object({
      index: z.int(),
      time: z.iso.datetime(),
      event: z.string(),
      actor: z.object({ role: z.string(), id: z.string() }),
      purpose: z.string().nullable(),
      effect: z.enum(["allow", "deny"]),
      code: z.string(),
      fields: z.record(z.string(), z.string()),
    }),
  ),
  more: z.boolean(),
});

export function rightsRoutes(desk: RightsDesk): Route[] {
  return [...deskRoutes(desk), ...requestRoutes(desk)];
}

function deskRoutes(desk: RightsDesk): Route[] {
  return [
    {
      method: "GET",
      path: requestsPath,
      summary: "What data subjects ask for, the open ones first by their deadline",
      answers: {
        200: { media: "application/json", description: "Requests", schema: z.object({ requests: z.array(requestSchema) }) },
      },
      refusals,
      handle: async (received) =>
        answer(await listRequests(desk, received.caller, contractOf(received)), (requests) => ({ requests: requests.map(describe) })),
    },
    {
      method: "POST",
      path: requestsPath,
      summary: "Write down a request that came to the merchant itself",
      body: {
        media: "application/json",
        bytesMax: 16_384,
        schema: receivedBody,
        description: '`{"kind":"access","type":"customer","id":"…"}`: the merchant\'s own id.',
      },
      answers: { 201: { media: "application/json", description: "The request", schema: requestSchema } },
      refusals,
      handle: async (received) => {
        const { kind, type, id, note } = received.body as z.infer<typeof receivedBody>;
        const kept = await receiveRequest(desk, received.caller, contractOf(received), { kind, type, merchantId: id, note });
        return answer(kept, describe, 201);
      },
    },
  ];
}

function requestRoutes(desk: RightsDesk): Route[] {
  const one = `${requestsPath}/{request}`;
  return [
    {
      method: "GET",
      path: one,
      summary: "One request, and what the customer said",
      answers: {
        200: { media: "application/json", description: "The request", schema: requestSchema.extend({ said: z.string().nullable() }) },
      },
      refusals,
      handle: async (received) =>
        answer(await readRequest(desk, received.caller, contractOf(received), whichOf(received)), (request) => ({
          ...describe(request),
          said: request.said,
        })),
    },
    {
      method: "GET",
      path: `${one}/report`,
      summary: "What is held of this person, and who has seen it, when and why",
      answers: { 200: { media: "application/json", description: "The report", schema: reportSchema } },
      refusals: [...refusals, "record_damaged"],
      handle: async (received) => answer(await reportOn(desk, received.caller, contractOf(received), whichOf(received)), describeReport),
    },
    {
      method: "POST",
      path: `${one}/close`,
      summary: "Close a request: done, or refused. An erasure is done when nothing is held any more",
      body: { media: "application/json", bytesMax: 1_024, schema: closeBody, description: '`{"outcome":"done"}`' },
      answers: { 200: { media: "application/json", description: "The request", schema: requestSchema } },
      refusals: [...refusals, "busy"],
      handle: async (received) => {
        const { outcome } = received.body as z.infer<typeof closeBody>;
        const settled = await settleRequest(desk, received.caller, contractOf(received), { which: whichOf(received), outcome });
        return answer(settled, describe);
      },
    },
  ];
}

function describe(request: SubjectRequest): z.infer<typeof requestSchema> {
  const { id, kind, type, locator, receivedAt, dueAt, outcome, closedAt, readAt } = request;
  return {
    request: id,
    kind,
    type,
    locator,
    received_at: new Date(receivedAt).toISOString(),
    due_at: new Date(dueAt).toISOString(),
    state: outcome ?? (readAt > dueAt ? "overdue" : "open"),
    closed_at: closedAt === null ? null : new Date(closedAt).toISOString(),
  };
}

function describeReport({ request, pseudonym, held, seen, more }: Report): z.infer<typeof reportSchema> {
  return {
    request: describe(request),
    subject: pseudonym,
    held: held.map(({ type, locator, id, fields }) => ({ type, locator, id, fields: [...fields] })),
    seen: seen.map(({ index, entry: { time, event, actor, reason, outcome, resource } }) => ({
      ...{ index, time, event, actor, purpose: reason?.purpose ?? null },
      ...{ effect: outcome.effect, code: outcome.code, fields: resource?.fields ?? {} },
    })),
    more,
  };
}

function answer<Value>(result: Result<Value, Refusal>, describeValue: (value: Value) => unknown, status = 200): Result<Answer, Refusal> {
  return result.ok ? ok(json(JSON.stringify(describeValue(result.value)), {}, status)) : result;
}

function contractOf(received: Received): ContractId {
  return received.params.contract as ContractId;
}

function whichOf(received: Received): string {
  return received.params.request ?? "";
}
