/** What each door refuses, and with which code: a part of the journeys. */
import { describe, expect, it } from "vitest";
import type { CallOptions, Door } from "./gateway.ts";

const base = "/v1/contracts/c-test";
const records = `${base}/records/customer`;
const nowhere = `r_${"a".repeat(26)}`;
const json = { "content-type": "application/json" };

type Asked = readonly [what: string, expected: string, method: string, path: string, options: CallOptions];

export const refusals: readonly Asked[] = [
  ["no token", "401 token_missing", "GET", `${records}/${nowhere}`, {}],
  ["a token that is none", "401 token_malformed", "GET", `${records}/${nowhere}`, { headers: { authorization: "Bearer e30.e30.e30" } }],
  ["a record that is not there", "404 not_found", "GET", `${records}/${nowhere}`, { as: "agent-1" }],
  ["a contract that is not theirs", "404 not_found", "GET", `/v1/contracts/c-other/records/customer/${nowhere}`, { as: "agent-1" }],
  ["an owner, who is no agent", "403 not_permitted", "GET", `${records}/${nowhere}`, { as: "owner-1" }],
  ["an officer, who is no agent", "403 not_permitted", "GET", `${records}/${nowhere}`, { as: "officer" }],
  ["a field that is not searchable", "403 not_permitted", "POST", `${records}/search`, { as: "agent-1", body: { by: { name: "x" } } }],
  ["a percent sign in the path", "400 bad_id", "GET", `${records}/%00`, { as: "agent-1" }],
  ["a query that nobody knows", "400 bad_query", "GET", `${records}/${nowhere}?tenant=1`, { as: "agent-1" }],
  ["half a body", "400 bad_json", "POST", `${records}/search`, { as: "agent-1", body: "{", headers: json }],
  ["another method", "405 method_not_allowed", "DELETE", `${records}/search`, { as: "agent-1" }],
  ["a body over its limit", "413 too_large", "POST", `${records}/search`, { as: "agent-1", body: { by: { phone: "1".repeat(5_000) } } }],
  [
    "another media type",
    "415 wrong_media_type",
    "POST",
    `${records}/search`,
    { as: "agent-1", body: "by=1", headers: { "content-type": "text/plain" } },
  ],
  ["a search by two fields", "422 unacceptable", "POST", `${records}/search`, { as: "agent-1", body: { by: { phone: "1", id: "2" } } }],
  [
    "a purpose that the contract does not know",
    "422 purpose_unknown",
    "GET",
    `${records}/${nowhere}`,
    { as: "agent-1", headers: { "postern-purpose": "ads" } },
  ],
  ["an agent at an owner's door", "403 not_permitted", "POST", `${base}/purges`, { as: "agent-1", body: { dry_run: true } }],
  ["an agent at an officer's door", "403 not_permitted", "GET", `${base}/audit/entries`, { as: "agent-1" }],
  ["another merchant's officer", "404 not_found", "GET", `${base}/audit/entries`, { as: "officer-b" }],
  ["an owner's unknown contract", "404 not_found", "GET", "/v1/contracts/c-nowhere", { as: "owner-1" }],
  [
    "a contract that cannot be read",
    "422 unacceptable",
    "POST",
    "/v1/contracts",
    { as: "owner-1", body: { contract: { name: "c.yaml", text: ":" }, policy: { name: "p.yaml", text: "" } } },
  ],
  [
    "an import by somebody else",
    "403 not_permitted",
    "POST",
    `${records}/import`,
    { as: "officer", body: "{}\n", headers: { "content-type": "application/x-ndjson" } },
  ],
  ["a way that does not exist", "404 not_found", "GET", "/v1/nowhere", { as: "owner-1" }],
];

/** `canaries`: what no problem may repeat. */
export function describeRefusals(door: Door, canaries: readonly string[]): void {
  describe("is refused, with a problem that says no more than it may:", () => {
    it.each(refusals)("%s: %s", async (_what, expected, method, path, options) => {
      const answer = await door.call(method, path, options);
      const text = await answer.clone().text();
      expect([answer.headers.get("content-type"), answer.headers.get("cache-control")]).toEqual(["application/problem+json", "no-store"]);
      expect(await codeOf(Promise.resolve(answer))).toBe(expected);
      for (const canary of canaries) expect(text).not.toContain(canary);
    });
  });
}

/** As `404 not_found`. */
export async function codeOf(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  return `${response.status} ${((await response.json()) as { code?: string }).code}`;
}

/** Status, the headers named (all, if none are), and the body. */
export async function withoutRequestId(answer: Response, names: readonly string[] = [...answer.headers.keys()]): Promise<unknown> {
  const { request_id: _differs, ...problem } = (await answer.json()) as Record<string, unknown>;
  const headers = names.filter((name) => name !== "x-request-id").map((name) => [name, answer.headers.get(name)]);
  return { status: answer.status, problem, headers: Object.fromEntries(headers) };
}
