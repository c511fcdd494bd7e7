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

/** RFC 7644 §3.12. */
const scimError = z.strictObject({
  schemas: z.array(z.string()).length(1),
  status: z.string(),
  scimType: z.string().optional(),
  detail: z.string(),
});

export type Served = z.infer<typeof openApi>["paths"];

export async function readDocument(gateway: Door): Promise<Served> {
  return openApi.parse(await (await gateway.call("GET", "/openapi.json")).json()).paths;
}

export interface Asked {
  readonly status: number;
  /** Of the problem; `scim` where a directory is refused, which has no codes; undefined where the answer is no refusal, or has no body. */
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
    const pattern = patternOf(path) ?? "";
    const documented = served[pattern]?.[method.toLowerCase()]?.responses;
    if (documented) expect(Object.keys(documented), `${method} ${path}`).toContain(String(answer.status));
    if (answer.status < 400) return { status: answer.status, code: undefined, answer };
    const isScim = /^\/v1\/scim\/[^/]+\/v2\//.test(pattern);
    expect(answer.headers.get("content-type")).toBe(isScim ? "application/scim+json" : "application/problem+json");
    if (method === "HEAD") return { status: answer.status, code: undefined, answer };
    if (isScim) {
      expect(scimError.parse(await answer.clone().json()).status).toBe(String(answer.status));
      return { status: answer.status, code: "scim", answer };
    }
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
