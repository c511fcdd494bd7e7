/** People who come by a page: two organisations' providers, real ones, and a browser as far as a session needs one. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IssuerProfile } from "../src/identity/index.ts";
import { bringIntoForce, expectStatus, importLines } from "./support/agreement.ts";
import { audience, createGateway, type Gateway } from "./support/gateway.ts";
import { type IdentityProvider, startIdentityProvider } from "./support/identity-provider.ts";
import { entriesOf } from "./support/log-writers.ts";

let merchant: IdentityProvider;
let vendor: IdentityProvider;
let gateway: Gateway;

beforeAll(async () => {
  [merchant, vendor] = await Promise.all([startIdentityProvider(audience), startIdentityProvider(audience)]);
  const profileOf = (id: string, { issuer, jwks }: IdentityProvider): IssuerProfile => ({
    ...{ id, issuer, keys: { jwks } },
    login: { clientId: "console", authorization: new URL("/auth", issuer), token: new URL("/token", issuer) },
  });
  const olga = { issuer: "linxi", subject: "olga" };
  gateway = await createGateway({
    issuers: [profileOf("linxi", merchant), profileOf("yunfu", vendor)],
    common: {
      merchants: {
        "m-linxi": {
          owners: [{ issuer: "demo", subject: "owner-1" }, { issuer: "demo", subject: "owner-2" }, olga],
          officers: [{ issuer: "linxi", subject: "otto" }],
        },
      },
    },
  });
  await bringIntoForce(gateway);
  await importLines(gateway, [{ id: "U1", name: "林黛玉" }]);
});
afterAll(async () => {
  await gateway?.close();
  merchant.close();
  vendor.close();
});

const retention = "/v1/contracts/c-test/retention";
const cookieOf = (answer: Response) => (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";

/** Sent away to the provider: the cookie that goes along, and where. */
async function begin(issuer = "linxi", returnTo = retention) {
  const answer = await gateway.call("GET", `/v1/session/login?issuer=${issuer}&return_to=${encodeURIComponent(returnTo)}`);
  expect(answer.status).toBe(303);
  return { cookie: cookieOf(answer), url: new URL(answer.headers.get("location") ?? "") };
}

function comeBack(url: URL, cookie: string): Promise<Response> {
  return gateway.call("GET", url.pathname + url.search, { headers: { cookie } });
}

async function logIn(account: string, provider = merchant, issuer = "linxi"): Promise<string> {
  const { cookie, url } = await begin(issuer);
  const answer = await comeBack(await provider.sendBack(account, url), cookie);
  expect([answer.status, answer.headers.get("location")]).toEqual([303, retention]);
  return cookieOf(answer);
}

const get = (path: string, cookie: string) => gateway.call("GET", path, { headers: { cookie } });

async function code(answer: Response): Promise<string> {
  return `${answer.status} ${((await answer.json()) as { code: string }).code}`;
}

describe("somebody who logs in", () => {
  it("is who their organisation says, with what that person may do, and the log says that they came", async () => {
    const cookie = await logIn("olga");
    const told = await (await expectStatus(get("/v1/session", cookie), 200)).json();
    expect(told).toMatchObject({ session: { issuer: "linxi", subject: "olga" } });
    expect((await get(retention, cookie)).status).toBe(200);
    expect((await get("/v1/contracts/c-test", cookie)).status).toBe(200);
    const officer = await logIn("otto");
    expect(await code(await get("/v1/contracts/c-test", officer))).toBe("403 not_permitted");
    const events = (await entriesOf({ owner: gateway.database }, "gateway")).map(({ entry }) => entry.event);
    expect(events.filter((event) => event === "session.opened")).toHaveLength(2);
  });

  it("at another organisation under the same name is somebody else", async () => {
    expect(await code(await get(retention, await logIn("olga", vendor, "yunfu")))).toBe("404 not_found");
  });

  it("gets a cookie that no script, no other host and no plain connection sees", async () => {
    const { cookie, url } = await begin();
    const answer = await comeBack(await merchant.sendBack("olga", url), cookie);
    const set = answer.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^__Host-postern=s\.[A-Za-z0-9_-]{43}; Path=\/; Max-Age=36000; Secure; HttpOnly; SameSite=Lax$/);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("has another session each time, and none that was brought along", async () => {
    const planted = `__Host-postern=s.${"A".repeat(43)}`;
    const first = await logIn("olga");
    const { cookie, url } = await begin();
    const second = cookieOf(await comeBack(await merchant.sendBack("olga", url), `${planted}; ${cookie}`));
    expect(new Set([first, second, planted]).size).toBe(3);
    expect(await code(await get(retention, planted))).toBe("401 token_invalid");
  });

  it("opens no record by a session: the agents' door takes tokens alone", async () => {
    const cookie = await logIn("olga");
    const answer = await gateway.call("GET", `/v1/contracts/c-test/records/customer/r_${"a".repeat(26)}`, { headers: { cookie } });
    expect(await code(answer)).toBe("401 token_missing");
  });
});

describe("a login that did not go as it should", () => {
  it.each<[string, (back: URL, cookie: string) => [URL, string]]>([
    ["in another browser", (back) => [back, ""]],
    ["with another state", (back, cookie) => [changed(back, "state", "x"), cookie]],
    ["without its state", (back, cookie) => [changed(back, "state", null), cookie]],
    ["with another code", (back, cookie) => [changed(back, "code", "x"), cookie]],
    ["from another provider", (back, cookie) => [changed(back, "iss", "https://id.example"), cookie]],
    ["with a provider's refusal", (back, cookie) => [changed(changed(back, "code", null), "error", "access_denied"), cookie]],
    ["with a cookie that was changed", (back, cookie) => [back, `${cookie.slice(0, -4)}AAAA`]],
  ])("is none: %s", async (_what, change) => {
    const { cookie, url } = await begin();
    const answer = await comeBack(...change(await merchant.sendBack("olga", url), cookie));
    expect([await code(answer), answer.headers.get("set-cookie")]).toEqual(["403 login_refused", null]);
  });

  it("is none with the state of another login, however good each is", async () => {
    const [mine, theirs] = [await begin(), await begin()];
    const back = await merchant.sendBack("mallory", theirs.url);
    expect(await code(await comeBack(back, mine.cookie))).toBe("403 login_refused");
  });

  it("is one login once: the same address again is none", async () => {
    const { cookie, url } = await begin();
    const back = await merchant.sendBack("olga", url);
    expect((await comeBack(back, cookie)).status).toBe(303);
    expect(await code(await comeBack(back, cookie))).toBe("403 login_refused");
  });

  it("is none for a code that another organisation's provider gave", async () => {
    const [mine, theirs] = [await begin("linxi"), await begin("yunfu")];
    const back = await vendor.sendBack("olga", theirs.url);
    back.searchParams.set("state", mine.url.searchParams.get("state") ?? "");
    expect(await code(await comeBack(back, mine.cookie))).toBe("403 login_refused");
  });
});

function changed(url: URL, name: string, value: string | null): URL {
  const other = new URL(url);
  if (value === null) other.searchParams.delete(name);
  else other.searchParams.set(name, value);
  return other;
}

describe("the way back", () => {
  it.each([
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/a/..//evil",
    "/a\r\nset-cookie: x=y",
    "javascript:alert(1)",
    "/%2f%2fevil",
    "a",
  ])("leads to a path of ours, and not to %j", async (returnTo) => {
    const answer = await gateway.call("GET", `/v1/session/login?issuer=linxi&return_to=${encodeURIComponent(returnTo)}`);
    expect(await code(answer)).toBe("400 bad_query");
  });

  it("leads nowhere from an organisation that is none, or whose people have no page", async () => {
    for (const issuer of ["nobody", "demo"])
      expect(await code(await gateway.call("GET", `/v1/session/login?issuer=${issuer}`))).toBe("404 not_found");
  });
});

describe("a session", () => {
  const suspend = (cookie: string, headers: Record<string, string> = {}) =>
    gateway.call("POST", "/v1/contracts/c-test/purges", { body: { dry_run: true }, headers: { cookie, ...headers } });

  it("changes nothing from another site's page, whatever that page sends", async () => {
    const cookie = await logIn("olga");
    for (const site of [undefined, "cross-site", "same-site", "none"])
      expect(await code(await suspend(cookie, site === undefined ? {} : { "sec-fetch-site": site }))).toBe("401 token_missing");
    expect((await suspend(cookie, { "sec-fetch-site": "same-origin" })).status).toBe(200);
  });

  it("is over when it is logged out, in every browser that has it", async () => {
    const cookie = await logIn("olga");
    const out = await gateway.call("POST", "/v1/session/logout", { headers: { cookie, "sec-fetch-site": "same-origin" } });
    expect([out.status, cookieOf(out), out.headers.get("clear-site-data")]).toEqual([
      200,
      "__Host-postern=",
      expect.stringContaining("cookies"),
    ]);
    expect(await code(await get(retention, cookie))).toBe("401 token_invalid");
  });

  it.each([
    ["half an hour unused", "used_at = now() - interval '31 minutes'"],
    ["ten hours old", "ends_at = now()"],
  ])("is over when it is %s, and forgotten", async (_what, set) => {
    const cookie = await logIn("olga");
    await gateway.database.query(`update postern.session set ${set}`);
    expect(await code(await get(retention, cookie))).toBe("401 token_expired");
    await gateway.keeper.tick();
    expect(await gateway.database.query("select count(*)::int, now() from postern.session")).toMatchObject([[0, expect.anything()]]);
  });

  it("is refused from the next request on when its person is revoked everywhere", async () => {
    const cookie = await logIn("otto");
    expect((await get(retention, cookie)).status).toBe(200);
    const body = { kind: "person", issuer: "linxi", subject: "otto", reason: "left" };
    await expectStatus(gateway.call("POST", "/v1/revocations", { as: "operator", body }), 201);
    expect(await code(await get(retention, cookie))).toBe("401 token_revoked");
  });

  it("counts for nothing beside a token", async () => {
    const cookie = await logIn("olga");
    expect(await code(await gateway.call("GET", retention, { as: "agent-20", headers: { cookie } }))).toBe("404 not_found");
  });

  it("lies nowhere: the table holds a digest of it", async () => {
    const cookie = await logIn("olga");
    const rows = await gateway.database.query("select encode(session_id, 'escape'), to_jsonb(s)::text from postern.session s");
    const secret = cookie.split("s.")[1] ?? "";
    const raw = Buffer.from(secret, "base64url").toString("hex");
    expect(secret).toHaveLength(43);
    for (const text of rows.flat().map(String)) expect(text.includes(secret) || text.includes(raw)).toBe(false);
  });
});

describe("a provider that says that somebody logged out", () => {
  const tell = (body: string, media = "application/x-www-form-urlencoded") =>
    gateway.call("POST", "/v1/session/backchannel-logout", { body, headers: { "content-type": media } });

  it("ends what they have here of it, and nothing else; the log says so", async () => {
    await gateway.database.query("delete from postern.session");
    const [cookie, other, again] = [await logIn("olga"), await logIn("mallory"), await logIn("olga")];
    await expectStatus(tell(`logout_token=${await merchant.logoutToken("olga")}`), 200);
    for (const ended of [cookie, again]) expect(await code(await get(retention, ended))).toBe("401 token_invalid");
    expect(await (await get("/v1/session", other)).json()).toMatchObject({ session: { subject: "mallory" } });
    const closed = (await entriesOf({ owner: gateway.database }, "gateway")).filter(
      ({ entry }) => entry.outcome.code === "closed_by_provider",
    );
    expect(closed.map(({ entry }) => [entry.event, entry.facts])).toEqual([["session.closed", { sessions: 2 }]]);
    await expectStatus(tell(`logout_token=${await merchant.logoutToken("nobody")}`), 200);
  });

  it("ends one session where it names one", async () => {
    const [cookie, again] = [await logIn("olga"), await logIn("olga")];
    await gateway.database.query(
      "update postern.session set provider_session = 's-1' where ctid = (select min(ctid) from postern.session where subject = 'olga')",
    );
    await expectStatus(tell(`logout_token=${await merchant.logoutToken(null, { sid: "s-1" })}`), 200);
    const left = await Promise.all([cookie, again].map(async (one) => (await get(retention, one)).status));
    expect(left.toSorted()).toEqual([200, 401]);
  });

  it.each<[string, (token: string) => Promise<string> | string]>([
    ["nothing", () => ""],
    ["two of them", (token) => `logout_token=${token}&logout_token=${token}`],
    ["an access token", async () => `logout_token=${(await merchant.logIn("olga")).access}`],
    ["an ID token", async () => `logout_token=${(await merchant.logIn("olga")).id}`],
    ["one of another's", async () => `logout_token=${await vendor.logoutToken("olga", { iss: merchant.issuer })}`],
    ["one for another client", async () => `logout_token=${await merchant.logoutToken("olga", { aud: "other" })}`],
    ["one that is over", async () => `logout_token=${await merchant.logoutToken("olga", { iat: 1_000, exp: 1_060 })}`],
    [
      "one that lives for a day",
      async () => `logout_token=${await merchant.logoutToken("olga", { exp: Math.floor(Date.now() / 1000) + 86_400 })}`,
    ],
    ["one that names nobody", async () => `logout_token=${await merchant.logoutToken(null)}`],
    ["one of something else", async () => `logout_token=${await merchant.logoutToken("olga", { events: { "urn:other": {} } })}`],
    ["one with a nonce", async () => `logout_token=${await merchant.logoutToken("olga", { nonce: "x" })}`],
    ["one whose letters were changed", (token) => `logout_token=${token.slice(0, -8)}AAAAAAAA`],
  ])("is not believed when it sends %s", async (_what, body) => {
    const cookie = await logIn("olga");
    expect(await code(await tell(await body(await merchant.logoutToken("olga"))))).toBe("400 logout_refused");
    expect((await get(retention, cookie)).status).toBe(200);
  });

  it("is not believed in another form, or at length", async () => {
    expect(await code(await tell("{}", "application/json"))).toBe("415 wrong_media_type");
    expect(await code(await tell(`logout_token=${"a".repeat(20_000)}`))).toBe("413 too_large");
  });

  it("is heard by its own words: the provider's session ends, and ours with it", async () => {
    const cookie = await logIn("olga");
    expect((await get(retention, cookie)).status).toBe(200);
    await merchant.logOut("olga", async (to, init) => gateway.app.request(to, init));
    expect(await code(await get(retention, cookie))).toBe("401 token_invalid");
  });
});

describe("a provider that is gone", () => {
  it("leaves the login undecided, and those who came by it before where they are", async () => {
    const cookie = await logIn("ada", vendor, "yunfu");
    const away = await begin("yunfu");
    const back = await vendor.sendBack("ada", away.url);
    vendor.close();
    expect(await code(await comeBack(back, away.cookie))).toBe("503 issuer_unavailable");
    expect(await code(await get(retention, cookie))).toBe("404 not_found");
  });
});
