/** Splunk's HTTP Event Collector, the event endpoint: one OCSF event each, under its own time. */
import * as z from "zod";
import type { Copied, CopyFormat } from "./copy.ts";
import { halving, isRefusal, jsonOf, post } from "./http-post.ts";
import { type Sink, SinkUnavailable } from "./sink.ts";

export interface SplunkSettings {
  readonly name: string;
  /** Of the collector, with or without the endpoint's path. */
  readonly url: URL;
  readonly token: string;
  readonly index?: string | undefined;
  readonly format: CopyFormat;
}

const answerSchema = z.looseObject({ code: z.int() });
const taken = 0;

export function createSplunkSink({ name, url, token, index, format }: SplunkSettings): Sink {
  const endpoint = url.pathname === "/" ? new URL("/services/collector/event", url) : url;
  const headers = { authorization: `Splunk ${token}`, "content-type": "application/json" };
  const envelope = (copied: Copied) => {
    const { log, time } = copied.entry;
    const about = { time: Date.parse(time) / 1_000, host: log.split("/")[0], source: log, sourcetype: "postern:audit", index };
    return `${JSON.stringify(about).slice(0, -1)},"event":${format.record(copied).trimEnd()}}`;
  };
  return {
    name,
    deliver: (batch) =>
      halving(batch, async (part) => {
        const { status, text } = await post(endpoint, headers, part.map(envelope).join("\n"));
        const code = answerSchema.safeParse(jsonOf(text)).data?.code;
        if (status === 200 && code === taken) return [];
        if (isRefusal(status)) return { refused: `status ${status}, code ${code ?? "unknown"}` };
        throw new SinkUnavailable(status === 200 ? `status 200, but code ${code ?? "unknown"}` : `status ${status}`);
      }),
  };
}
