/**
 * Elasticsearch's and OpenSearch's `_bulk`: one document each in the Elastic Common Schema, created under the entry's own id, so that what comes twice
 * is there once. An answer of 200 says nothing yet: each document has a status of its own.
 */
import * as z from "zod";
import { type Copied, flatten } from "./copy.ts";
import { halving, isRefusal, jsonOf, post } from "./http-post.ts";
import { type DeadLetter, reasonOf, type Sink, SinkUnavailable } from "./sink.ts";

export interface ElasticSettings {
  readonly name: string;
  readonly url: URL;
  /** An index or a data stream. */
  readonly index: string;
  readonly apiKey: string;
}

const itemSchema = z.looseObject({ status: z.int(), error: z.looseObject({ type: z.string() }).optional() });
const answerSchema = z.looseObject({ errors: z.boolean(), items: z.array(z.looseObject({ create: itemSchema })) });
const alreadyThere = 409;

export function createElasticSink({ name, url, index, apiKey }: ElasticSettings): Sink {
  const endpoint = new URL(`${url.pathname.replace(/\/+$/, "")}/${encodeURIComponent(index)}/_bulk`, url);
  endpoint.searchParams.set("filter_path", "errors,items.*.status,items.*.error.type");
  const headers = { authorization: `ApiKey ${apiKey}`, "content-type": "application/x-ndjson" };
  return {
    name,
    deliver: (batch) =>
      halving(batch, async (part) => {
        const { status, text } = await post(endpoint, headers, part.map(linesOf).join(""));
        if (isRefusal(status)) return { refused: `status ${status}` };
        if (status !== 200) throw new SinkUnavailable(`status ${status}`);
        return readAnswer(text, part.length);
      }),
  };
}

function readAnswer(text: string, documents: number): DeadLetter[] {
  const answer = answerSchema.safeParse(jsonOf(text));
  if (!answer.success || answer.data.items.length !== documents) throw new SinkUnavailable("status 200, but not a bulk answer");
  return answer.data.items.flatMap(({ create: { status, error } }, at) => {
    if ((status >= 200 && status < 300) || status === alreadyThere) return [];
    if (isRefusal(status)) return [{ at, reason: `status ${status}: ${reasonOf(error?.type)}` }];
    throw new SinkUnavailable(`a document's status ${status}: ${reasonOf(error?.type)}`);
  });
}

function linesOf(copied: Copied): string {
  const { entry } = copied;
  const document = {
    "@timestamp": entry.time,
    ecs: { version: "9.5.0" },
    event: {
      kind: "event",
      id: entry.id,
      action: entry.event,
      outcome: entry.outcome.effect === "allow" ? "success" : "failure",
      reason: entry.outcome.code,
      sequence: copied.index,
      dataset: "postern.audit",
      provider: "postern",
    },
    user: { id: entry.actor.id, roles: [entry.actor.role] },
    postern: Object.fromEntries(Object.entries(flatten(copied)).filter(([, value]) => value !== "")),
  };
  return `${JSON.stringify({ create: { _id: entry.id } })}\n${JSON.stringify(document)}\n`;
}
