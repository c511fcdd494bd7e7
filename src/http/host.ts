/**
 * To whom and for what a request line asks: by our name, and for a path that nobody had to change to make it one.
 * Under another name a browser, a cache or a proxy was led here that takes the gateway for somebody else; ports are the matter of whoever stands in front.
 */
import { ok, type Refusal, type Result, refuse } from "../kernel/index.ts";

const hostPattern = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/;
const thisMachine = ["127.0.0.1", "localhost", "[::1]"];

export type HostNames = ReadonlySet<string>;

/** Its origin's, and this machine's own. */
export function hostNames(origin: string): HostNames {
  return new Set([new URL(origin).hostname, ...thisMachine]);
}

/** `header`: repeated ones joined. `url`: its host is the header's, unless the request line names one of its own. */
export function checkHost(names: HostNames, url: URL, header: string | null): Result<void, Refusal> {
  const given = header === null ? url.hostname : hostPattern.exec(header)?.[1]?.toLowerCase();
  const isOurs = given !== undefined && names.has(given) && names.has(url.hostname);
  return isOurs ? ok(undefined) : refuse({ code: "bad_header", errors: [{ pointer: "header:host", code: "unknown" }] });
}

/** `target`: as the request line has it, where the runtime knows. What a URL makes another path of (`/a/../b`, `\\`) asks for something else than it says. */
export function checkTarget(url: URL, target: string | undefined): Result<void, Refusal> {
  const path = target?.replace(/^https?:\/\/[^/?#]*/i, "").replace(/\?.*$/s, "");
  const isWhatItSays = path === undefined || (path === url.pathname && url.hash === "");
  return isWhatItSays ? ok(undefined) : refuse({ code: "bad_id", errors: [{ pointer: "path", code: "grammar" }] });
}
