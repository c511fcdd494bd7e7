/** ArcSight's Common Event Format, version 0: seven header fields between bars, then `key=value`. */
import { type Copied, type CopyFormat, flatten, visible } from "./copy.ts";

/** 0–10: a refusal deserves a look, a disclosure is a day's work. */
const severity = { allow: 3, deny: 6 } as const;

/** `version`: this release. */
export function cef(version: string): CopyFormat {
  return {
    media: "text/plain; charset=utf-8",
    extension: "cef",
    head: "",
    record: (copied) => `${cefOf(copied, version)}\n`,
  };
}

/** Without the line's end. */
function cefOf(copied: Copied, version: string): string {
  const { entry } = copied;
  const name = `${entry.event} ${entry.outcome.effect}`;
  const head = ["CEF:0", "Postern", "Postern", version, entry.event, name, String(severity[entry.outcome.effect])];
  return `${head.map(headerValue).join("|")}|${extensionOf(copied)}`;
}

function extensionOf(copied: Copied): string {
  const flat = flatten(copied);
  const ipv6 = flat.address.includes(":");
  const labelled = (key: string, label: string, value: string): [string, string][] =>
    value === ""
      ? []
      : [
          [`${key}Label`, label],
          [key, value],
        ];
  const pairs: [string, string][] = [
    ["rt", String(Date.parse(flat.time))],
    ["externalId", flat.id],
    ["deviceExternalId", flat.log],
    ["act", flat.event],
    ["outcome", flat.effect],
    ["reason", flat.code],
    ["suid", flat.actor],
    ["suser", flat.actor_subject],
    ["sntdom", flat.actor_issuer],
    ["spriv", flat.actor_role],
    ["src", ipv6 ? "" : flat.address],
    ["requestClientApplication", flat.user_agent],
    ["requestContext", flat.route],
    ["cat", flat.type],
    ...labelled("c6a2", "Source IPv6 Address", ipv6 ? flat.address : ""),
    ...labelled("cn1", "index", flat.index),
    ...labelled("cs1", "purpose", flat.purpose),
    ...labelled("cs2", "fields", flat.fields),
    ...labelled("cs3", "subjects", flat.subjects),
    ...labelled("cs4", "locators", flat.locators),
    ...labelled("cs5", "facts", flat.facts),
    ...labelled("cs6", "request", flat.request_id),
  ];
  return pairs.flatMap(([key, value]) => (value === "" ? [] : [`${key}=${extensionValue(value)}`])).join(" ");
}

function headerValue(text: string): string {
  return visible(text).replaceAll(/[\\|]/g, String.raw`\$&`);
}

/** Line ends have a form of their own; backslashes of other escapes are doubled, so that nobody takes them for one. */
function extensionValue(text: string): string {
  return text
    .split(/(\r|\n)/)
    .map((part) => (part === "\r" ? String.raw`\r` : part === "\n" ? String.raw`\n` : visible(part).replaceAll(/[\\=]/g, String.raw`\$&`)))
    .join("");
}
