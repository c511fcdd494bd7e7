/** Asks a gateway and holds every answer to what all of them owe: a status that the document names, the headers, and a problem where it is a refusal. */
import { expect } from "vitest";
import * as z from "zod";
import { pathTails } from "../../src/http/route.ts";
import type { CallOptions, Door } from "./gateway.ts";

const openApi = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ responses: z.record(z.string(), z.unknown()) }))),
});
export const problemShape = z.strictObject({
  type: z.string().startsWith("/docs/errors/"),
  title: z.string().min(1),
  status: z.int(),
  code: z.string(),
  request_id: z.uuid(),
  errors: z.array(z.looseObject({ pointer: z.string(), code: z.string() })).optional(),
});

export type Served = z.infer<typeof openApi>["paths"];

export async function readDocument(gateway: Door): Promise<Served> {
  return openApi.parse(await (await gateway.call("GET", "/openapi.json")).json()).paths;
}

export interface Asked {
  readonly status: number;
  /** Of the problem; undefined where the answer is none, or has no body. */
  readonly code: string | undefined;
  readonly answer: Response;
}

export type Ask = (method: string, path: string, options?: CallOptions) => Promise<Asked>;

/** As agent-1, where nobody else is named. */
export function documentedAsk(gateway: Door, served: Served): Ask {
  const patternOf = patternsOf(served);
  return async (method, path, options = {}) => {
    const answer = await gateway.call(method, path, { as: "agent-1", ...options });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    const documented = served[patternOf(path) ?? ""]?.[method.toLowerCase()]?.responses;
    if (documented) expect(Object.keys(documented), `${method} ${path}`).toContain(String(answer.status));
    if (answer.status < 400) return { status: answer.status, code: undefined, answer };
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    if (method === "HEAD") return { status: answer.status, code: undefined, answer };
    const problem = problemShape.parse(await answer.clone().json());
    expect([problem.status, problem.request_id]).toEqual([answer.status, answer.headers.get("x-request-id")]);
    return { status: answer.status, code: problem.code, answer };
  };
}

/** The documented path that a request's path is an instance of. */
function patternsOf(served: Served): (path: string) => string | undefined {
  const tests = Object.keys(served).map((pattern) => {
    const text = pattern.replaceAll(/\{(\w+)\}/g, (_, name) => (pathTails.has(name) ? ".*" : "[^/]*"));
    return { pattern, test: new RegExp(`^${text}$`) };
  });
  return (path) => {
    const { pathname } = new URL(path, "http://127.0.0.1");
    return tests.find(({ test }) => test.test(pathname))?.pattern;
  };
}
