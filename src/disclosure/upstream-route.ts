/** The merchant's own API, in its own shape: an agent's program changes its base URL, and nothing else. */
import * as z from "zod";
import { formatPromise } from "../audit/index.ts";
import { type Carriage, tokenHeaders, type WriteMethod, writeMethods } from "../connectors/index.ts";
import { fromBase64, fromUtf8 } from "../crypto/index.ts";
import { type Answer, json, type Received, type Route, readBounded } from "../http/index.ts";
import {
  type ContractId,
  type Json,
  JsonSyntaxError,
  ok,
  type Presented,
  parseJson,
  printJson,
  type Refusal,
  type Result,
  refuse,
} from "../kernel/index.ts";
import { contextOf, seatRefusals } from "./context.ts";
import { forward, type Upstream } from "./forward.ts";
import { write } from "./write.ts";

const place = "/v1/contracts/{contract}/upstream/{connector}/{path}";
const upstreamRefusals = ["upstream_failed", "upstream_late", "upstream_busy", "upstream_limited"] as const;
const grammar = /^(?:[A-Za-z0-9._~-]{16,128}|"[A-Za-z0-9._~-]{16,128}")$/;
const bodyBytesMax = 65_536;
const bodyLimits = { depthMax: 12, breadthMax: 200 };

/** What the connector has writes for, and the contract's policy fields. */
export function upstreamWriteRoutes(deps: Upstream): Route[] {
  const shown = { media: "application/json", schema: z.unknown() };
  return writeMethods.map((method) => ({
    ...{ method, path: place, query: "any" as const },
    summary: "Written into the merchant's own API, and the answer masked",
    headers: [repeatHeader],
    body: {
      media: "application/json",
      bytesMax: bodyBytesMax,
      description: "In the upstream's own shape: the fields that the connector and the policy let be written, and no others",
    },
    answers: {
      200: { ...shown, description: "Written; in the upstream's own shape; header Audit-Promise proves its entry" },
      201: { ...shown, description: "The same, of what is new" },
      204: { media: "application/json", description: "Written, and nothing of it is shown" },
    },
    refusals: [...seatRefusals, ...upstreamRefusals, "too_large", "bad_json", "unacceptable", "busy", "idempotency_key_reused"],
    handle: (received) => handleWrite(deps, method, received),
  }));
}

const repeatHeader = {
  name: "Idempotency-Key",
  pattern: grammar.source,
  description: "Sent again with the same request within a day, it is not written again and answered as it was. A random one: a UUID.",
} as const;

async function handleWrite(deps: Upstream, method: WriteMethod, received: Received): Promise<Result<Answer, Refusal>> {
  const context = contextOf(received);
  if (!context.ok) return received.turnAway(context.refusal);
  const key = received.header("idempotency-key");
  if (key !== null && !grammar.test(key))
    return received.turnAway({ code: "bad_header", errors: [{ pointer: "header:idempotency-key", code: "grammar" }] });
  const body = await readJson(received.stream);
  if (!body.ok) return received.turnAway(body.refusal);
  const { params, query } = received;
  const asked = { contract: params.contract as ContractId, connector: params.connector ?? "", path: `/${params.path}`, query, method };
  const named = { ...asked, body: body.value, repeatKey: key?.replaceAll('"', "") ?? null };
  const written = await write(deps, { ...received.caller, ...tokenOf(received), ...context.value, ...named });
  if (!written.ok) return written;
  const { status, body: text, promise, repeated } = written.value;
  const headers = { "audit-promise": formatPromise(promise), ...(repeated && { "idempotency-replayed": "true" }) };
  return ok({ status, headers, media: "application/json", body: text });
}

/** With the digits of its numbers. */
async function readJson(stream: ReadableStream<Uint8Array> | null): Promise<Result<Json, Refusal>> {
  const bytes = await readBounded(stream, bodyBytesMax);
  if (bytes === null) return refuse({ code: "too_large" });
  try {
    return ok(parseJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), bodyLimits));
  } catch (fault) {
    const pointer = fault instanceof JsonSyntaxError ? `body:${fault.at}` : "body";
    return refuse({ code: "bad_json", errors: [{ pointer, code: "syntax" }] });
  }
}

export function upstreamRoute(deps: Upstream): Route {
  return {
    method: "GET",
    path: place,
    summary: "The merchant's own API, masked on the way through",
    query: "any",
    answers: {
      200: {
        media: "application/json",
        description: "In the upstream's own shape; header Audit-Promise proves its entry, and Link leads to the pages around it",
        schema: z.unknown(),
      },
    },
    refusals: [...seatRefusals, ...upstreamRefusals],
    handle: async (received) => {
      const context = contextOf(received);
      if (!context.ok) return received.turnAway(context.refusal);
      const { params, query } = received;
      const asked = { contract: params.contract as ContractId, connector: params.connector ?? "", path: `/${params.path}`, query };
      const forwarded = await forward(deps, { ...received.caller, ...tokenOf(received), ...context.value, ...asked });
      if (!forwarded.ok) return forwarded;
      const { body, links, promise } = forwarded.value;
      const link = links
        .map(({ rel, query }) => `<${addressOf(deps.origin, received)}?${new URLSearchParams(query)}>; rel="${rel}"`)
        .join(", ");
      return ok(json(printJson(body), { "audit-promise": formatPromise(promise), ...(link !== "" && { link }) }));
    },
  };
}

/** Where the caller asked, as it is called from outside. */
function addressOf(origin: string, { params: { contract, connector, path } }: Received): string {
  return `${new URL(origin).origin}/v1/contracts/${contract}/upstream/${connector}/${path}`;
}

/** Where the caller's token stands; a Bearer's or DPoP's header comes first. */
function tokenOf({ caller: { authorization }, header }: Received): { authorization: Presented | null; carriage: Carriage } {
  if (typeof authorization === "string" && /^basic /i.test(authorization))
    return { authorization: `Bearer ${passwordOf(authorization)}`, carriage: "basic" };
  for (const name of authorization === null ? tokenHeaders : []) {
    const token = header(name);
    if (token !== null) return { authorization: `Bearer ${token}`, carriage: { header: name } };
  }
  return { authorization, carriage: "bearer" };
}

/** RFC 7617: what stands behind the first colon. Empty where there is none. */
function passwordOf(authorization: string): string {
  try {
    return /^[^:]*:(.*)$/s.exec(fromUtf8(fromBase64(authorization.slice("basic ".length))))?.[1] ?? "";
  } catch {
    return "";
  }
}
