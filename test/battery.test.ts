/** The same attacks on every route of the document: tokens that are none, bodies of another kind or size, paths spelled otherwise. No answer tells what is there. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { matrix } from "../src/offices/matrix.ts";
import { bringIntoForce, importLines, search } from "./support/agreement.ts";
import { type Ask, documentedAsk, readDocument, type Served } from "./support/documented.ts";
import { audience, createGateway, type Door, type Gateway } from "./support/gateway.ts";
import { requestFor, type Things } from "./support/matrix-requests.ts";
import { createSmith, type Smith } from "./support/tokens.ts";

let gateway: Gateway;
let smith: Smith;
let served: Served;
let routes: readonly string[];
let things: Things;
/** Brings what its headers say and no token beside. */
let ask: Ask;

beforeAll(async () => {
  smith = await createSmith();
  gateway = await createGateway({ issuers: [smith.profile] });
  await bringIntoForce(gateway);
  await importLines(gateway, [{ id: "U0", name: "欧阳娜娜" }]);
  const found = await search(gateway, { id: "U0" });
  const none = "00000000-0000-7000-8000-000000000000";
  things = { locator: found.records[0]?.locator ?? "", approval: none, entry: none, job: none };
  const stranger: Door = { call: (method, path, { as: _, ...options } = {}) => gateway.call(method, path, options) };
  served = await readDocument(gateway);
  routes = Object.entries(served).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  ask = documentedAsk(stranger, served);
});
afterAll(() => gateway.close());

const isClosed = (route: string) => !matrix[route]?.includes("anyone");
const isOfContract = (route: string) => /\{(contract|log)\}/.test(route);
const takesBody = (route: string) => {
  const [method = "", path = ""] = route.split(" ");
  return served[path]?.[method.toLowerCase()]?.requestBody !== undefined;
};

interface Told {
  readonly route: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly challenge: string | null;
  /** What a caller sees of it, but for its id. */
  readonly seen: string;
}

async function askFor(route: string, contract: string, headers: Readonly<Record<string, string>>, query = ""): Promise<Told> {
  const { method, path, options } = requestFor(route, contract, things);
  const json = typeof options.body === "object" ? { "content-type": "application/json" } : {};
  const asked = query === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${query}`;
  const { status, code, answer } = await ask(method, asked, { ...options, headers: { ...json, ...options.headers, ...headers } });
  const id = answer.headers.get("x-request-id") ?? "";
  const seen = JSON.stringify([status, [...answer.headers], await answer.text()]).replaceAll(id, "ID");
  return { route, status, code, challenge: answer.headers.get("www-authenticate"), seen };
}

/** A directory is told the status alone. */
function isTold(expected: string, status: number, code: string | undefined): boolean {
  return `${status} ${code}` === expected || (code === "scim" && expected.startsWith(`${status} `));
}

/** What was answered otherwise than so. */
async function otherThan(expected: string, asked: readonly Promise<Told>[]): Promise<string[]> {
  const told = await Promise.all(asked);
  expect(told.length).toBeGreaterThan(10);
  return told.flatMap(({ route, status, code }) => (isTold(expected, status, code) ? [] : [`${route}: ${status} ${code}`]));
}

const now = () => Math.floor(Date.now() / 1000);
const current = () => ({ sub: "owner-1", aud: audience, iat: now() - 10, exp: now() + 900 });
const credentials: Readonly<Record<string, readonly [code: string, header: () => Promise<string | null>]>> = {
  "no token": ["token_missing", async () => null],
  "no token behind its scheme": ["token_malformed", async () => "Bearer"],
  "a password": ["token_malformed", async () => `Basic ${btoa("owner-1:owner-1")}`],
  "three parts of nothing": ["token_malformed", async () => "Bearer e30.e30.e30"],
  "a token with more behind it": ["token_malformed", async () => `Bearer ${await gateway.token("owner-1")}.x`],
  "a token that is over": ["token_expired", async () => `Bearer ${await smith.token({ ...current(), iat: now() - 900, exp: now() - 1 })}`],
  "a token for another": ["token_invalid", async () => `Bearer ${await smith.token({ ...current(), aud: "https://other.example" })}`],
  "a token of nobody's": [
    "token_unknown_issuer",
    async () => `Bearer ${await smith.token({ ...current(), iss: `${smith.profile.issuer}/` })}`,
  ],
  "a token that is signed by another": ["token_invalid", async () => `Bearer ${await (await createSmith()).token(current())}`],
  "a token for showing who one is": ["token_malformed", async () => `Bearer ${await smith.token(current(), { typ: "JWT" })}`],
  "a token as if it were bound to a key": ["token_invalid", async () => `DPoP ${await smith.token(current())}`],
};

describe("every route that is not open to anyone", () => {
  it.each(Object.entries(credentials))("refuses %s", async (_what, [code, header]) => {
    const authorization = await header();
    const headers = authorization === null ? {} : { authorization };
    const told = await Promise.all(routes.filter(isClosed).map((route) => askFor(route, "c-test", headers)));
    expect(told.length).toBeGreaterThan(50);
    expect(told.filter((answer) => !isTold(`401 ${code}`, answer.status, answer.code))).toEqual([]);
    const scheme = authorization?.startsWith("DPoP") ? /^DPoP / : /^Bearer realm="postern"/;
    for (const { challenge } of told) expect(challenge).toMatch(scheme);
  });

  it.each([null, "agent-20", "owner-b1"])("says to %s, who is nobody there, the same whether the contract is there", async (as) => {
    const headers = as === null ? {} : { authorization: `Bearer ${await gateway.token(as)}` };
    const ofContract = routes.filter(isOfContract);
    const ask = (contract: string) => Promise.all(ofContract.map((route) => askFor(route, contract, headers)));
    const [there, nowhere] = [await ask("c-test"), await ask("c-nowhere")];
    expect(there.filter(({ status }) => status < 400)).toEqual([]);
    expect(there).toEqual(nowhere);
  });

  it("takes no token out of an address", async () => {
    const token = await gateway.token("owner-1");
    const askAll = (those: readonly string[]) => those.map((route) => askFor(route, "c-test", {}, `access_token=${token}`));
    // Which parameters an upstream takes its connector says, once it is known who asks.
    const isUpstream = (route: string) => route.includes("/upstream/");
    const closed = routes.filter(isClosed);
    expect(await otherThan("400 bad_query", askAll(closed.filter((route) => !isUpstream(route))))).toEqual([]);
    const upstream = await Promise.all(askAll(closed.filter(isUpstream)));
    expect(new Set(upstream.map(({ status, code }) => `${status} ${code}`))).toEqual(new Set(["401 token_missing"]));
  });
});

describe("every route, asked by an owner", () => {
  const asOwner = async (headers: Readonly<Record<string, string>>) => ({
    authorization: `Bearer ${await gateway.token("owner-1")}`,
    ...headers,
  });

  it.each([
    ["of no kind", { "content-type": "" }],
    ["of plain text", { "content-type": "text/plain" }],
    ["of a form", { "content-type": "multipart/form-data; boundary=x" }],
    ["of another alphabet", { "content-type": "application/json; charset=utf-16" }],
    ["that is compressed", { "content-encoding": "gzip" }],
  ])("refuses a body %s", async (_what, wrong) => {
    const headers = await asOwner(wrong);
    const asked = routes.filter(takesBody).map((route) => askFor(route, "c-test", headers));
    expect(await otherThan("415 wrong_media_type", asked)).toEqual([]);
  });

  it("refuses a body that is announced as too large, and one that is it unannounced", async () => {
    const headers = await asOwner({});
    const announced = routes.filter(takesBody).map((route) => askFor(route, "c-test", { ...headers, "content-length": "1e18" }));
    expect(await otherThan("413 too_large", announced)).toEqual([]);

    const json = { ...headers, "content-type": "application/json" };
    const described = routes.filter((route) => takesBody(route) && !/(agents|import|backchannel-logout|upstream.*)$/.test(route));
    const large = described.map(async (route) => {
      const { method, path } = requestFor(route, "c-test", things);
      const { status, code } = await ask(method, path, { body: `{"x":"${"y".repeat(4_000_000)}"}`, headers: json });
      return { route, status, code, challenge: null, seen: "" };
    });
    expect(await otherThan("413 too_large", large)).toEqual([]);
  });

  it.each(["..%2f..", "%2e%2e", "%00", "%zz", "a;b=1"])("takes %s for no name", async (segment) => {
    const headers = await asOwner({});
    const asked = routes.flatMap((route) => {
      const [method = "", template = ""] = route.split(" ");
      return [...template.matchAll(/\{\w+\}/g)].map(async ({ index, 0: name }) => {
        const spelled = template.slice(0, index) + segment + template.slice(index + name.length);
        const { status, code } = await ask(method, requestFor(`${method} ${spelled}`, "c-test", things).path, { headers });
        return `${spelled}: ${status} ${code}`;
      });
    });
    const told = await Promise.all(asked);
    expect(told.length).toBeGreaterThan(50);
    expect(told.filter((answer) => !/: (400|404|405) (bad_id|not_found|method_not_allowed|scim)$/.test(answer))).toEqual([]);
  });

  it("nothing of all that was a fault", () => {
    expect(gateway.faults).toEqual([]);
  });
});
