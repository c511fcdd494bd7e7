/** The merchant's own API, in its own shape: an agent's program changes its base URL, and nothing else. */
import * as z from "zod";
import { formatPromise } from "../audit/index.ts";
import { type Carriage, type Query, tokenHeaders } from "../connectors/index.ts";
import { fromBase64, fromUtf8 } from "../crypto/index.ts";
import { type Answer, json, type Received, type Route, readBounded, readQuery } from "../http/index.ts";
import { type ContractId, ok, type Presented, printJson, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { contextOf, seatRefusals } from "./context.ts";
import { forward, type Upstream } from "./forward.ts";

const path = "/v1/contracts/{contract}/upstream/{connector}/{path}";
const formBytesMax = 65_536;

/** GET, and POST where a platform's clients send in a form what they ask. */
export function upstreamRoutes(deps: Upstream): Route[] {
  const answers = {
    200: {
      media: "application/json",
      description: "In the upstream's own shape; header Audit-Promise proves its entry, and Link leads to the pages around it",
      schema: z.unknown(),
    },
  };
  const refusals = [...seatRefusals, "upstream_failed", "upstream_late", "upstream_busy", "upstream_limited"] as const;
  return [
    {
      method: "GET",
      path,
      summary: "The merchant's own API, masked on the way through",
      query: "any",
      answers,
      refusals,
      handle: (received) => pass(deps, received, { query: received.query, isForm: false }),
    },
    {
      method: "POST",
      path,
      summary: "The same question, where the API's clients send it as a form",
      query: "any",
      body: { media: "application/x-www-form-urlencoded", bytesMax: formBytesMax, description: "Parameters, as in the query." },
      answers,
      refusals,
      handle: async (received) => {
        const query = await readForm(received);
        return query.ok ? pass(deps, received, { query: query.value, isForm: true }) : received.turnAway(query.refusal);
      },
    },
  ];
}

/** With the address's parameters; none stands twice. */
async function readForm({ stream, query }: Received): Promise<Result<Query, Refusal>> {
  const form = await readBounded(stream, formBytesMax);
  if (form === null) return refuse({ code: "too_large" });
  const asked = new URL("https://gateway.invalid");
  asked.search = `${new URLSearchParams(query)}&${new TextDecoder().decode(form)}`;
  return readQuery(asked, "any");
}

async function pass(
  deps: Upstream,
  received: Received,
  asking: { readonly query: Query; readonly isForm: boolean },
): Promise<Result<Answer, Refusal>> {
  const context = contextOf(received);
  if (!context.ok) return received.turnAway(context.refusal);
  const { params } = received;
  const asked = { contract: params.contract as ContractId, connector: params.connector ?? "", path: `/${params.path}`, ...asking };
  const forwarded = await forward(deps, { ...received.caller, ...tokenOf(received), ...context.value, ...asked });
  if (!forwarded.ok) return forwarded;
  const { body, links, promise } = forwarded.value;
  const link = links
    .map(({ rel, query }) => `<${addressOf(deps.origin, received)}?${new URLSearchParams(query)}>; rel="${rel}"`)
    .join(", ");
  return ok(json(printJson(body), { "audit-promise": formatPromise(promise), ...(link !== "" && { link }) }));
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
