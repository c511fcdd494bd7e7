/** The operator's sinks, on Node: reads their secrets and opens none of them; a sink that is down is no reason not to start. */
import { readFile } from "node:fs/promises";
import { createFileSink } from "./copies/file-sink.ts";
import { createCopyFormats, createElasticSink, createSplunkSink, type Sink } from "./copies/index.ts";
import { createSyslogSink } from "./copies/node-syslog-sink.ts";
import { ConfigRefused } from "./operator-settings.ts";
import type { SinkSettings } from "./sink-settings.ts";
import { version } from "./version.ts";

/** Throws ConfigRefused. */
export async function openSinks(settings: readonly SinkSettings[]): Promise<Sink[]> {
  const formats = createCopyFormats(version);
  const open = async (sink: SinkSettings): Promise<Sink> => {
    const name = sink.id;
    switch (sink.kind) {
      case "splunk_hec":
        return createSplunkSink({
          name,
          url: new URL(sink.url),
          token: await secretOf(sink.id, sink.token),
          index: sink.index,
          format: formats.ocsf,
        });
      case "elastic_bulk":
        return createElasticSink({ name, url: new URL(sink.url), index: sink.index, apiKey: await secretOf(sink.id, sink.api_key) });
      case "syslog": {
        const { protocol, hostname, port } = new URL(sink.address);
        const host = hostname.replace(/^\[|\]$/g, "");
        return createSyslogSink({ name, host, port: Number(port), tls: protocol === "tls:", format: formats[sink.format] });
      }
      case "file":
        return createFileSink({ name, path: sink.path, format: formats[sink.format] });
    }
  };
  return Promise.all(settings.map(open));
}

async function secretOf(sink: string, path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => {
    throw new ConfigRefused(`sinks: ${sink}: ${path} cannot be read; it holds the sink's credential`);
  });
  const secret = text.trim();
  if (!/^[\x21-\x7e]+$/.test(secret)) throw new ConfigRefused(`sinks: ${sink}: ${path} holds no credential, or more than one line`);
  return secret;
}
