/** The door of vendors' directories: a vendor's own token opens that vendor's paths and nothing else, and nobody learns there of another. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bringIntoForce, expectStatus, importLines, search } from "./support/agreement.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { entriesOf } from "./support/purge-world.ts";
import { type Ask, directoryOf, issueToken, patch, person, provision, urn } from "./support/scim.ts";

let gateway: Gateway;
let ask: Ask;
let path: string;
const group = "/Groups/c-test~first_line";

beforeAll(async () => {
  gateway = await createGateway({
    common: { vendors: { "v-yunfu": { issuers: ["demo"], admins: [] }, "v-qinghe": { issuers: ["demo"], admins: [] } } },
  });
  await bringIntoForce(gateway);
  await importLines(gateway, [{ id: "U1", name: "林小满", phone: "13800138000" }]);
  path = `/v1/contracts/c-test/records/customer/${(await search(gateway, { id: "U1" })).records[0]?.locator}`;
  await provision(gateway);
  ask = directoryOf(gateway, (await issueToken(gateway)).token);
});
afterAll(() => gateway.close());

const read = async (as: string) => (await gateway.call("GET", path, { as })).status;

describe("a directory", () => {
  it("sees nothing of another vendor's: not its people, not its contracts, not that it is there", async () => {
    const other = directoryOf(gateway, (await issueToken(gateway, {}, "v-qinghe")).token, "/v1/scim/v-qinghe/v2");
    const theirs = await other("POST", "/Users", person("s-1", { active: false }));
    expect(theirs.status).toBe(201);
    const id = String((await ask("POST", "/Users", person("s-1"))).body.id);
    expect((await other("GET", `/Users/${id}`)).status).toBe(404);
    expect((await other("GET", group)).status).toBe(404);
    expect((await other("GET", "/Users")).body.totalResults).toBe(1);
    await ask("PATCH", group, patch({ op: "add", path: "members", value: [{ value: id }] }));
    expect(await read("s-1")).toBe(200);
    const stranger = directoryOf(gateway, "psc_".padEnd(47, "A"));
    const [wrong, foreign, nowhere] = await Promise.all([
      stranger("GET", "/Users"),
      directoryOf(gateway, (await issueToken(gateway, {}, "v-qinghe")).token)("GET", "/Users"),
      directoryOf(gateway, "psc_".padEnd(47, "A"), "/v1/scim/v-none/v2")("GET", "/Users"),
    ]);
    for (const refused of [wrong, foreign, nowhere]) {
      expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="postern"']);
      expect(refused.body).toEqual(wrong.body);
    }
  });

  it("comes by its own token alone: not an owner's, an agent's or an operator's, and its token opens nothing else", async () => {
    for (const as of ["owner-1", "agent-1", "operator"]) {
      expect((await gateway.call("GET", "/v1/scim/v-yunfu/v2/Users", { as })).status).toBe(401);
    }
    const { token } = await issueToken(gateway);
    const headers = { authorization: `Bearer ${token}` };
    for (const elsewhere of [path, "/v1/me", "/v1/contracts", "/v1/scim/v-yunfu/tokens"])
      expect((await gateway.call("GET", elsewhere, { headers })).status).toBe(401);
  });

  it("is told its refusals as RFC 7644 writes them, also before anything was read", async () => {
    const { token } = await issueToken(gateway);
    const raw = (body: string, media = "application/scim+json") =>
      gateway.call("POST", "/v1/scim/v-yunfu/v2/Users", { headers: { authorization: `Bearer ${token}`, "content-type": media }, body });
    const told = async (answer: Promise<Response>) => {
      const { status, headers } = await answer;
      return [status, headers.get("content-type"), ((await (await answer).json()) as { scimType?: string }).scimType];
    };
    const scim = "application/scim+json";
    expect(await told(raw("{"))).toEqual([400, scim, "invalidSyntax"]);
    expect(await told(raw("[]"))).toEqual([400, scim, "invalidSyntax"]);
    expect(await told(raw("{}", "text/csv"))).toEqual([415, scim, undefined]);
    expect(await told(raw(`{"x":"${"a".repeat(300_000)}"}`))).toEqual([413, scim, undefined]);
    expect(await told(gateway.call("PUT", "/v1/scim/v-yunfu/v2/Users", { headers: { authorization: `Bearer ${token}` } }))).toEqual([
      405,
      scim,
      undefined,
    ]);
  });

  it("is told what the service can, and which attributes it keeps", async () => {
    expect((await ask("GET", "/ServiceProviderConfig")).body).toMatchObject({ patch: { supported: true }, bulk: { supported: false } });
    expect((await ask("GET", "/ResourceTypes")).body.totalResults).toBe(2);
    expect((await ask("GET", "/Schemas")).body.Resources.map(({ id }: { id: string }) => id)).toEqual([urn.user, urn.group]);
  });
});

describe("a directory's token", () => {
  it("is shown once, kept as a digest, and noted with its last use", async () => {
    const { id, token } = await issueToken(gateway);
    expect(token).toMatch(/^psc_[A-Za-z0-9_-]{43}$/);
    await directoryOf(gateway, token)("GET", "/Users");
    const listed = await expectStatus(gateway.call("GET", "/v1/scim/v-yunfu/tokens", { as: "operator" }), 200);
    const text = await listed.text();
    expect(text).not.toContain(token);
    const { tokens } = JSON.parse(text) as { tokens: { id: string; last_used_at: string | null }[] };
    expect(tokens.find((one) => one.id === id)?.last_used_at).toEqual(expect.any(String));
    expect(JSON.stringify(await gateway.database.query("select * from postern.scim_token"))).not.toContain(token.slice(4));
  });

  it("outlives its successor's issue by the overlap and no longer, and goes at once when it is revoked", async () => {
    const statusOf = async (token: string) => (await directoryOf(gateway, token)("GET", "/Users?count=0")).status;
    const first = await issueToken(gateway);
    const second = await issueToken(gateway, { overlap_hours: 1 });
    expect([await statusOf(first.token), await statusOf(second.token)]).toEqual([200, 200]);
    const third = await issueToken(gateway, { overlap_hours: 0 });
    expect([await statusOf(first.token), await statusOf(second.token), await statusOf(third.token)]).toEqual([401, 401, 200]);
    await expectStatus(gateway.call("POST", `/v1/scim/v-yunfu/tokens/${third.id}/revoke`, { as: "operator" }), 200);
    expect(await statusOf(third.token)).toBe(401);
    ask = directoryOf(gateway, (await issueToken(gateway)).token);
  });

  it("goes with its vendor's revocation, and is issued to no vendor without a directory", async () => {
    const body = { kind: "vendor", vendor: "v-yunfu", reason: "incident" };
    const revoked = await expectStatus(gateway.call("POST", "/v1/revocations", { as: "operator", body }), 201);
    expect((await ask("GET", "/Users")).status).toBe(401);
    const { revocation } = (await revoked.json()) as { revocation: string };
    await expectStatus(gateway.call("POST", `/v1/revocations/${revocation}/lift`, { as: "operator" }), 200);
    expect((await ask("GET", "/Users")).status).toBe(200);
    expect((await gateway.call("POST", "/v1/scim/v-none/tokens", { as: "operator", body: {} })).status).toBe(422);
    expect((await gateway.call("POST", "/v1/scim/v-yunfu/tokens", { as: "owner-1", body: {} })).status).toBe(403);
  });

  it("leaves its issue, and who came by it, in the gateway's log", async () => {
    const entries = await entriesOf(gateway.database, "gateway");
    const issued = entries.find(({ event }) => event === "scim.token_issued");
    expect(issued).toMatchObject({ facts: { vendor: "v-yunfu", days: 365 } });
    const changed = entries.filter(({ event }) => event === "scim.user_changed");
    const codes = new Set(changed.map((entry) => (entry as unknown as { outcome: { code: string } }).outcome.code));
    for (const code of ["created", "changed", "deactivated", "deleted", "invalidSyntax"]) expect(codes).toContain(code);
  });
});
