/** What is written into the merchant's own API, in its own shape. */
import * as z from "zod";
import { formatPromise } from "../audit/index.ts";
import type { WriteMethod } from "../connectors/index.ts";
import { type Answer, idempotencyKeyPattern, type Received, type Route, readJson } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { contextOf, seatRefusals } from "./context.ts";
import type { Upstream } from "./forward.ts";
import { tokenOf } from "./upstream-token.ts";
import { write } from "./write.ts";

export const writeBytesMax = 65_536;
const bodyLimits = { depthMax: 12, breadthMax: 200 };

/** What every write may be answered. */
const shown = { media: "application/json", schema: z.unknown() };
export const writeAnswers = {
  200: { ...shown, description: "Written; in the upstream's own shape; header Audit-Promise proves its entry" },
  201: { ...shown, description: "The same, of what is new" },
  204: { media: "application/json", description: "Written, and nothing of it is shown" },
} as const;
export const writeRefusals = [...seatRefusals, "too_large", "bad_json", "unacceptable", "busy", "idempotency_key_reused"] as const;

/** What the connector has writes for, and the contract's policy fields. */
export function writeRoute(deps: Upstream, method: "PUT" | "PATCH", { path, refusals }: Pick<Route, "path" | "refusals">): Route {
  return {
    ...{ method, path, query: "any" },
    summary: "Written into the merchant's own API, and the answer masked",
    headers: [repeatHeader],
    body: {
      media: "application/json",
      bytesMax: writeBytesMax,
      description: "In the upstream's own shape: the fields that the connector and the policy let be written, and no others",
    },
    answers: writeAnswers,
    refusals: [...new Set([...refusals, ...writeRefusals])],
    handle: (received) => handleWrite(deps, method, received),
  };
}

export const repeatHeader = {
  name: "Idempotency-Key",
  pattern: idempotencyKeyPattern.source,
  description: "Sent again with the same request within a day, it is not written again and answered as it was. A random one: a UUID.",
} as const;

export async function handleWrite(deps: Upstream, method: WriteMethod, received: Received): Promise<Result<Answer, Refusal>> {
  const context = contextOf(received);
  if (!context.ok) return received.turnAway(context.refusal);
  const key = received.header("idempotency-key");
  if (key !== null && !idempotencyKeyPattern.test(key))
    return received.turnAway({ code: "bad_header", errors: [{ pointer: "header:idempotency-key", code: "grammar" }] });
  const body = await readJson(received.stream, writeBytesMax, bodyLimits);
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
