/** What a platform may say about people, wherever it can say it: at every leaf of its bodies, in keys, headers, trailers, errors and redirects. */
import type { ServerResponse } from "node:http";
import type { JsonObject } from "../../src/kernel/index.ts";
import { leafPaths } from "./documented-bodies.ts";
import { type Canary, canaryKinds, candidatePaths, filledDocuments, type PlatformShape } from "./platform-shapes.ts";

/** A canary at every leaf of the platform's bodies and at every candidate, but for what has to stay readable. */
export function canariesEverywhere(shape: PlatformShape, kind: "text" | "number"): ReadonlyMap<string, Canary> {
  const leaves = [...shape.samples(), ...(shape.leaves?.() ?? [])].flatMap((body) => leafPaths(body));
  const paths = [...new Set([...leaves, ...candidatePaths(shape)])].filter((path) => !Object.hasOwn(shape.readable, path));
  const make = canaryKinds[kind];
  return new Map(make ? paths.sort().map((path, at) => [path, make(at, path)] as const) : []);
}

/** Two of them: where both a value and something inside it may stand, each has its turn. */
export function documentsEverywhere(shape: PlatformShape, canaries: ReadonlyMap<string, Canary>): JsonObject[] {
  return filledDocuments({ ...shape, samples: () => [] }, canaries);
}

const person = ["ann.kanarie-zq7w@mail.example", "+14155550815", "kanarie-zq7w-street-0815"];
/** As a platform may write them. */
const written = person.flatMap((text) => [
  text,
  encodeURIComponent(text),
  Buffer.from(text).toString("base64"),
  Buffer.from(text).toString("hex"),
]);
export const personSecrets: readonly string[] = [...person, "金丝雀路0815号"];

const headers = {
  ...Object.fromEntries(
    [
      "set-cookie",
      "location",
      "etag",
      "link",
      "server-timing",
      "www-authenticate",
      "x-user-email",
      "content-disposition",
      "retry-after",
    ].map((name) => [name, `<https://acme.myshopify.com/x?q=${written.join("&b=")}>; rel="next"`]),
  ),
  trailer: "x-trailing",
};

/** Everything about a person, with that status, in its reason, headers, trailers, keys and values. */
export function telling(status: number, media = "application/json"): (path: string, response: ServerResponse) => void {
  const text = personSecrets.join(" ");
  const body = { errors: { [text]: written }, error_response: { code: 50, sub_msg: text }, message: text, parameters: written, [text]: 1 };
  return (_path, response) => {
    response.writeHead(status, person[0], { ...headers, "content-type": media });
    response.write(JSON.stringify(body));
    response.addTrailers({ "x-trailing": person.join() });
    response.end();
  };
}

/** What this process writes until `stop` is called. */
export function hearOutput(): { readonly heard: string[]; stop(): void } {
  const heard: string[] = [];
  const streams = [process.stdout, process.stderr];
  const own = streams.map(({ write }) => write);
  for (const [at, stream] of streams.entries())
    stream.write = ((chunk: string | Uint8Array, ...rest: never[]) => {
      heard.push(Buffer.from(chunk as Uint8Array).toString());
      return own[at]?.call(stream, chunk, ...rest);
    }) as typeof stream.write;
  return {
    heard,
    stop: () => {
      for (const [at, stream] of streams.entries()) stream.write = own[at] ?? stream.write;
    },
  };
}
