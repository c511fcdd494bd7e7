/** The merchant's own API, in its own shape: an agent's program changes its base URL, and nothing else. */
import * as z from "zod";
import { formatPromise } from "../audit/index.ts";
import type { Query } from "../connectors/index.ts";
import { type Answer, json, type Received, type Route, readBounded, readQuery } from "../http/index.ts";
import { type ContractId, ok, printJson, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { contextOf, seatRefusals } from "./context.ts";
import { forward, type Upstream } from "./forward.ts";
import { tokenOf } from "./upstream-token.ts";
import { handleWrite, repeatHeader, writeAnswers, writeBytesMax, writeRefusals, writeRoute } from "./write-route.ts";

const path = "/v1/contracts/{contract}/upstream/{connector}/{path}";
const form = "application/x-www-form-urlencoded";

/** GET, and POST where a platform's clients send in a form what they ask; POST, PUT and PATCH of JSON are writes. */
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
      summary: "Written into the merchant's own API, and the answer masked; or the question of a GET, where its clients send it as a form",
      query: "any",
      headers: [repeatHeader],
      body: {
        ...{ media: "application/json", alsoAs: [form], bytesMax: writeBytesMax },
        description:
          "In the upstream's own shape: the fields that the connector and the policy let be written. Of a form: parameters, as in the query.",
      },
      answers: { ...answers, ...writeAnswers },
      refusals: [...new Set([...refusals, ...writeRefusals])],
      handle: async (received) => {
        const media = received.header("content-type") ?? "";
        if (!media.toLowerCase().startsWith(form)) return handleWrite(deps, "POST", received);
        const query = await readForm(received);
        return query.ok ? pass(deps, received, { query: query.value, isForm: true }) : received.turnAway(query.refusal);
      },
    },
    ...(["PUT", "PATCH"] as const).map((method) => writeRoute(deps, method, { path, refusals })),
  ];
}

/** With the address's parameters; none stands twice. */
async function readForm({ stream, query }: Received): Promise<Result<Query, Refusal>> {
  const sent = await readBounded(stream, writeBytesMax);
  if (sent === null) return refuse({ code: "too_large" });
  const asked = new URL("https://gateway.invalid");
  asked.search = `${new URLSearchParams(query)}&${new TextDecoder().decode(sent)}`;
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
