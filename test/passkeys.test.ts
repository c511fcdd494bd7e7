/** People who came by a page show that they are there: an authenticator of this process, and a real browser's. */
import { existsSync } from "node:fs";
import { serve } from "@hono/node-server";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { because, bringIntoForce, expectStatus } from "./support/agreement.ts";
import { type Authenticator, createAuthenticator, type Wrong } from "./support/authenticator.ts";
import { createGateway, type Gateway } from "./support/gateway.ts";
import { type IdentityProvider, startIdentityProvider } from "./support/identity-provider.ts";
import { entriesOf } from "./support/log-writers.ts";
import { openScript } from "./support/own-script.ts";
import { chromiumFlags, chromiumPath } from "./support/verify-page.ts";

const origin = "http://localhost:8787";
let provider: IdentityProvider;
let gateway: Gateway;

beforeAll(async () => {
  provider = await startIdentityProvider(origin);
  const { issuer, jwks } = provider;
  const login = { clientId: "console", authorization: new URL("/auth", issuer), token: new URL("/token", issuer) };
  const people = ["olga", "odette"].map((subject) => ({ issuer: "linxi", subject }));
  gateway = await createGateway({
    issuers: [{ id: "linxi", issuer, keys: { jwks }, login }],
    common: {
      audience: origin,
      merchants: {
        "m-linxi": { owners: [{ issuer: "demo", subject: "owner-1" }, { issuer: "demo", subject: "owner-2" }, ...people], officers: [] },
      },
    },
  });
  await bringIntoForce(gateway);
});
afterAll(async () => {
  await gateway?.close();
  provider.close();
});

const cookieOf = (answer: Response) => (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";

async function logIn(account: string): Promise<string> {
  const away = await gateway.call("GET", "/v1/session/login?issuer=linxi");
  const back = await provider.sendBack(account, new URL(away.headers.get("location") ?? ""));
  return cookieOf(await gateway.call("GET", back.pathname + back.search, { headers: { cookie: cookieOf(away) } }));
}

function post(path: string, cookie: string, body?: object): Promise<Response> {
  return gateway.call("POST", path, {
    headers: { cookie, "sec-fetch-site": "same-origin", ...because.headers },
    ...(body ? { body } : {}),
  });
}

async function optionsOf(answer: Promise<Response>): Promise<{ challenge: string }> {
  return (await (await expectStatus(answer, 200)).json()) as { challenge: string };
}

async function code(answer: Response): Promise<string> {
  return answer.ok ? String(answer.status) : `${answer.status} ${((await answer.json()) as { code: string }).code}`;
}

async function register(cookie: string, authenticator: Authenticator, wrong?: Wrong): Promise<Response> {
  const options = await optionsOf(post("/v1/session/passkeys/options", cookie));
  return post("/v1/session/passkeys", cookie, { name: "the blue one", credential: authenticator.create(options, wrong) });
}

async function stepUp(cookie: string, authenticator: Authenticator, wrong?: Wrong): Promise<Response> {
  const options = await optionsOf(post("/v1/session/step-up/options", cookie));
  return post("/v1/session/step-up", cookie, { credential: authenticator.get(options, wrong) });
}

/** Logged in with a passkey, and not shown it yet. */
async function withPasskey(account: string): Promise<{ cookie: string; authenticator: Authenticator }> {
  await gateway.database.query("delete from postern.passkey");
  const [cookie, authenticator] = [await logIn(account), createAuthenticator(origin)];
  await expectStatus(register(cookie, authenticator), 200);
  return { cookie, authenticator };
}

const none = "00000000-0000-7000-8000-000000000000";
let year = 2098;

/** Something that a second owner has to approve. */
async function ordered(): Promise<string> {
  const body = { confirm: "c-test", at: `${year--}-01-01`, reason: "convenience" };
  const asked = await expectStatus(gateway.call("POST", "/v1/contracts/c-test/terminate", { as: "owner-1", body }), 202);
  return ((await asked.json()) as { approval: { id: string } }).approval.id;
}

const approve = (approval: string, cookie: string) => post(`/v1/approvals/${approval}/approve`, cookie);

describe("an owner with a session", () => {
  it("approves nothing until they show a passkey, and the log says that they did", async () => {
    const { cookie, authenticator } = await withPasskey("olga");
    const approval = await ordered();
    const asked = await approve(approval, cookie);
    expect([await code(asked), asked.headers.get("www-authenticate")]).toEqual([
      "401 step_up_required",
      'Bearer realm="postern", error="insufficient_user_authentication", max_age="300"',
    ]);
    const shown = await stepUp(cookie, authenticator);
    expect(await code(shown)).toBe("200");
    expect(await code(await approve(approval, cookie)), "the session's secret is another one").toBe("401 token_invalid");
    expect(await code(await approve(approval, cookieOf(shown)))).toBe("200");
    const events = (await entriesOf({ owner: gateway.database }, "gateway")).map(({ entry }) => entry.event);
    expect(events).toEqual(expect.arrayContaining(["passkey.registered", "session.stepped_up"]));
  });
});

describe("what a passkey signed", () => {
  it.each<[string, (foreign: Authenticator) => Wrong]>([
    ["for another page", () => ({ origin: "http://localhost.example:8787" })],
    ["for another host", () => ({ rpId: "example.com" })],
    ["without having seen who holds it", () => ({ flags: 1 })],
    ["without anybody there", () => ({ flags: 4 })],
    ["for something that was not asked for", () => ({ challenge: Buffer.alloc(32, 7).toString("base64url") })],
    ["as if it made a passkey", () => ({ type: "webauthn.create" })],
    ["with another key", ({ key }) => ({ key })],
    ["with a count that went back", () => ({ counter: 1 })],
  ])("counts for nothing %s", async (_what, wrong) => {
    const { cookie, authenticator } = await withPasskey("olga");
    expect(await code(await stepUp(cookie, authenticator, wrong(createAuthenticator(origin))))).toBe("403 step_up_refused");
    expect(await code(await approve(none, cookie))).toBe("401 step_up_required");
  });

  it("counts once, and for its own session", async () => {
    const { cookie, authenticator } = await withPasskey("olga");
    const other = await logIn("olga");
    const credential = authenticator.get(await optionsOf(post("/v1/session/step-up/options", cookie)));
    expect(await code(await post("/v1/session/step-up", other, { credential }))).toBe("403 step_up_refused");
    const shown = await post("/v1/session/step-up", cookie, { credential });
    expect(await code(shown)).toBe("200");
    expect(await code(await post("/v1/session/step-up", cookieOf(shown), { credential }))).toBe("403 step_up_refused");
  });

  it("counts for whose passkey it is", async () => {
    const { authenticator } = await withPasskey("olga");
    const cookie = await logIn("odette");
    expect(await code(await post("/v1/session/step-up/options", cookie))).toBe("404 not_found");
    const own = createAuthenticator(origin);
    await expectStatus(register(cookie, own), 200);
    expect(await code(await stepUp(cookie, authenticator))).toBe("403 step_up_refused");
  });

  it("counts for five minutes", async () => {
    const { cookie, authenticator } = await withPasskey("olga");
    const shown = cookieOf(await stepUp(cookie, authenticator));
    await gateway.database.query("update postern.session set stepped_up_at = now() - interval '5 minutes'");
    expect(await code(await approve(none, shown))).toBe("401 step_up_required");
  });
});

describe("a passkey", () => {
  it("is registered by who has just logged in, and by nobody who took over their session later", async () => {
    await gateway.database.query("delete from postern.passkey");
    const cookie = await logIn("olga");
    await gateway.database.query("update postern.session set opened_at = now() - interval '5 minutes'");
    expect(await code(await post("/v1/session/passkeys/options", cookie))).toBe("401 step_up_required");
  });

  it("is registered beside another by who shows that one", async () => {
    const { cookie, authenticator } = await withPasskey("olga");
    expect(await code(await post("/v1/session/passkeys/options", cookie))).toBe("401 step_up_required");
    const shown = cookieOf(await stepUp(cookie, authenticator));
    const second = createAuthenticator(origin);
    const listed = (await (await expectStatus(register(shown, second), 200)).json()) as { passkeys: { passkey: string; name: string }[] };
    expect(listed.passkeys.map(({ passkey, name }) => [passkey, name])).toEqual([
      [authenticator.id, "the blue one"],
      [second.id, "the blue one"],
    ]);
    expect(await code(await register(shown, second)), "the same one twice").toBe("403 step_up_refused");
    const gone = await expectStatus(post(`/v1/session/passkeys/${second.id}/revoke`, shown), 200);
    expect(((await gone.json()) as typeof listed).passkeys).toHaveLength(1);
  });

  it.each<[string, Wrong]>([
    ["by another page", { origin: "https://evil.example" }],
    ["without having seen who holds it", { flags: 1 }],
    ["for something that was not asked for", { challenge: Buffer.alloc(32, 7).toString("base64url") }],
    ["as if it were shown", { type: "webauthn.get" }],
  ])("is none that was made %s", async (_what, wrong) => {
    await gateway.database.query("delete from postern.passkey");
    expect(await code(await register(await logIn("olga"), createAuthenticator(origin), wrong))).toBe("403 step_up_refused");
    expect(await gateway.database.query("select count(*)::int from postern.passkey")).toEqual([[0]]);
  });

  it("that was lost is ended by an operator, who can show none in its place", async () => {
    const { cookie } = await withPasskey("olga");
    const holder = { issuer: "linxi", subject: "olga" };
    const ended = await expectStatus(gateway.call("POST", "/v1/passkeys/revoke", { as: "operator", body: holder }), 200);
    expect(await ended.json()).toEqual({ passkeys: 1 });
    expect(await code(await post("/v1/session/step-up/options", cookie))).toBe("404 not_found");
    expect(await code(await gateway.call("POST", "/v1/passkeys/revoke", { as: "owner-1", body: holder }))).toBe("403 not_permitted");
    expect(await code(await gateway.call("POST", "/v1/session/passkeys/options", { as: "operator" }))).toBe("401 token_missing");
  });

  it("is read whatever a browser sends in its place, and leaves no fault", async () => {
    const cookie = await logIn("odette");
    const { challenge } = await optionsOf(post("/v1/session/passkeys/options", cookie));
    const good = createAuthenticator(origin).create({ challenge }) as { response: { attestationObject: string } };
    const object = Buffer.from(good.response.attestationObject, "base64url");
    for (let cut = 0; cut < object.length; cut += 7) {
      for (const bytes of [
        object.subarray(0, cut + 1),
        Buffer.concat([object.subarray(0, cut), Buffer.from([255]), object.subarray(cut + 1)]),
      ]) {
        const response = { ...good.response, attestationObject: bytes.toString("base64url") };
        const answer = await post("/v1/session/passkeys", cookie, { name: "x", credential: { ...good, response } });
        expect([200, 403]).toContain(answer.status);
        await gateway.database.query("delete from postern.passkey");
      }
    }
    expect(gateway.faults).toEqual([]);
  });
});

describe("in workerd, as the directory's script has it, a passkey", () => {
  it("is made, shown, and told from what is none", { timeout: 60_000 }, async () => {
    const script = await openScript("test/support/passkey-worker.ts");
    try {
      const authenticator = createAuthenticator(origin);
      const options = (await script.ask({ origin })) as { challenge: string };
      const known = await script.ask({ origin, made: authenticator.create(options) });
      expect(known).toMatchObject({ id: authenticator.id, counter: 1 });
      const asked = (await script.ask({ origin, known })) as { challenge: string };
      expect(asked).toMatchObject({ userVerification: "required", allowCredentials: [{ id: authenticator.id }] });
      expect(await script.ask({ origin, known, signed: authenticator.get(asked) })).toEqual({ counter: 2 });
      for (const wrong of [{ flags: 1 }, { origin: "https://evil.example" }, { key: createAuthenticator(origin).key }])
        expect(await script.ask({ origin, known, signed: authenticator.get(asked, wrong) })).toBeNull();
      expect(await script.ask({ origin, made: authenticator.create(options, { flags: 1 }) })).toBeNull();
    } finally {
      await script.close();
    }
  });
});

describe.skipIf(!existsSync(chromiumPath))("a real browser", () => {
  it("logs in, makes a passkey, shows it, and approves", { timeout: 60_000 }, async () => {
    await gateway.database.query("delete from postern.passkey");
    const server = serve({ fetch: gateway.app.fetch, port: 8787, hostname: "localhost" });
    const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumFlags });
    try {
      // The gateway's own answers are no pages: nothing runs in them but for this test.
      const page = await (await browser.newContext({ bypassCSP: true })).newPage();
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("WebAuthn.enable");
      const options = { protocol: "ctap2", transport: "internal", hasUserVerification: true, isUserVerified: true } as const;
      await devtools.send("WebAuthn.addVirtualAuthenticator", { options: { ...options, automaticPresenceSimulation: true } });
      provider.answerAs("olga");
      await page.goto(`${origin}/v1/session/login?issuer=linxi`);
      expect(page.url()).toBe(`${origin}/v1/session`);
      const approval = await ordered();
      const done = await page.evaluate(async (path) => {
        const send = async (to: string, body?: object) => {
          const content = body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {};
          const answer = await fetch(to, { method: "POST", ...content });
          return { status: answer.status, body: await answer.json() };
        };
        const made = await send("/v1/session/passkeys/options");
        const creation = { publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(made.body) };
        const registered = await send("/v1/session/passkeys", {
          name: "this one",
          credential: await navigator.credentials.create(creation),
        });
        const before = await send(path);
        const asked = await send("/v1/session/step-up/options");
        const request = { publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked.body) };
        const shown = await send("/v1/session/step-up", { credential: await navigator.credentials.get(request) });
        return [registered, before, shown, await send(path)].map(({ status }) => status);
      }, `/v1/approvals/${approval}/approve`);
      expect(done).toEqual([200, 401, 200, 200]);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
