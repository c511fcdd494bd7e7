/** The operator's `sinks`: where copies of the log go. A secret stands in a file of its own, never here; what others could read on the way is refused. */
import * as z from "zod";
import { isId } from "./kernel/index.ts";

const name = z.string().refine(isId, "must match [A-Za-z0-9][A-Za-z0-9._~-]*");
const secret = z
  .string()
  .regex(/^file:.+$/, "must be file:PATH; a secret does not stand in this file")
  .transform((text) => text.slice("file:".length));
const url = z
  .url({ protocol: /^https?$/, error: "must be an https:// URL" })
  .refine((text) => !URL.parse(text)?.username, "holds no credential; name a file for it");
const address = z
  .string()
  .refine(
    (text) => hostOf(text) !== null && /^(tls|tcp):$/.test(URL.parse(text)?.protocol ?? ""),
    "must be tls://HOST:PORT or tcp://HOST:PORT",
  );
const lineFormat = z.enum(["syslog", "cef"]);

export const sinkSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("splunk_hec"),
    id: name,
    url,
    token: secret,
    index: z.string().min(1).max(80).optional(),
    insecureHttp: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal("elastic_bulk"),
    id: name,
    url,
    index: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,254}$/, "must be the name of an index or data stream, in lower case"),
    api_key: secret,
    insecureHttp: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal("syslog"),
    id: name,
    address,
    format: lineFormat.default("syslog"),
    insecureTcp: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal("file"),
    id: name,
    path: z.string().min(1),
    format: z.enum(["ocsf", "csv", "syslog", "cef"]).default("ocsf"),
  }),
]);

export type SinkSettings = z.infer<typeof sinkSchema>;

/** One line that names the sink and the cure; `null` = none. */
export function sinkProblem(sinks: readonly SinkSettings[], production: boolean): string | null {
  for (const [i, sink] of sinks.entries()) {
    if (sinks.findIndex(({ id }) => id === sink.id) < i)
      return `sinks.${i}.id: two sinks are called ${sink.id}; where it stands is kept by its name`;
    const wire = wireOf(sink);
    if (wire?.allowed && production) return `sinks.${i}.${wire.flag}: is refused in production`;
    if (wire?.clear && !wire.allowed)
      return `sinks.${i}: would send the log unencrypted to another host; use TLS, or say ${wire.flag}: true outside production`;
  }
  return null;
}

/** Whether others could read along, and whether that was allowed; `null` = there is no wire. */
function wireOf(sink: SinkSettings): { readonly clear: boolean; readonly flag: string; readonly allowed: boolean } | null {
  if (sink.kind === "file") return null;
  const target = URL.parse(sink.kind === "syslog" ? sink.address : sink.url);
  const isEncrypted = target?.protocol === "https:" || target?.protocol === "tls:";
  const clear = !isEncrypted && !isLoopback(target?.hostname ?? "");
  if (sink.kind === "syslog") return { clear, flag: "insecureTcp", allowed: sink.insecureTcp };
  return { clear, flag: "insecureHttp", allowed: sink.insecureHttp };
}

function hostOf(text: string): string | null {
  const parsed = URL.parse(text);
  return parsed && parsed.hostname !== "" && parsed.port !== "" && /^\/?$/.test(parsed.pathname) ? parsed.hostname : null;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
