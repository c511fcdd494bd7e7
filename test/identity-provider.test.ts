/** Two organisations' own identity providers, real ones, and one gateway that knows both. */
import { randomDPoPKeyPair } from "openid-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createIdentity, type Identity, type IdentityOptions } from "../src/identity/index.ts";
import { bringIntoForce, importLines } from "./support/agreement.ts";
import { createGateway, type Gateway, audience as gatewayOrigin } from "./support/gateway.ts";
import { type IdentityProvider, type Send, startIdentityProvider, type Tokens } from "./support/identity-provider.ts";
import { entriesOf } from "./support/log-writers.ts";
import { audience } from "./support/tokens.ts";

let merchant: IdentityProvider;
let vendor: IdentityProvider;
let now: number;

beforeAll(async () => {
  [merchant, vendor] = await Promise.all([startIdentityProvider(audience), startIdentityProvider(audience)]);
});
afterAll(() => {
  merchant.close();
  vendor.close();
});
beforeEach(() => {
  now = Date.now();
  merchant.breakKeys(null);
});

function gateway(jwksLimits: IdentityOptions["jwksLimits"] = {}): Identity {
  const issuers = Object.entries({ linxi: merchant, yunfu: vendor }).map(([id, { issuer, jwks }]) => ({ id, issuer, keys: { jwks } }));
  return createIdentity({ issuers, audience, now: () => now, jwksLimits });
}

async function verdict(identity: Identity, token: string): Promise<string> {
  const who = await identity.identify(`Bearer ${token}`);
  return who.ok ? `${who.value.issuer}/${who.value.subject}` : who.refusal;
}

describe("somebody who logged in at their organisation, with a code and PKCE", () => {
  let anna: Tokens;
  beforeAll(async () => {
    anna = await merchant.logIn("anna");
  });

  it("is who that organisation says, and another one of the same name at another organisation", async () => {
    const identity = gateway();
    expect(await verdict(identity, anna.access)).toBe("linxi/anna");
    expect(await verdict(identity, (await vendor.logIn("anna")).access)).toBe("yunfu/anna");
  });

  it("cannot come in by the ID token, not even where access tokens need not say what they are", async () => {
    expect(await verdict(gateway(), anna.id)).toBe("token_malformed");
    const lax = {
      id: "linxi",
      issuer: merchant.issuer,
      keys: { jwks: merchant.jwks },
      tokenType: "jwt",
      audiences: ["console", audience],
    } as const;
    const identity = createIdentity({ issuers: [lax], audience, now: () => now });
    expect(await verdict(identity, anna.id)).toBe("token_malformed");
    expect(await verdict(identity, anna.access)).toBe("linxi/anna");
  });

  it("cannot come in by a token that another organisation signed for theirs", async () => {
    const swapped = [{ id: "linxi", issuer: merchant.issuer, keys: { jwks: vendor.jwks } }];
    expect(await verdict(createIdentity({ issuers: swapped, audience, now: () => now }), anna.access)).toBe("token_invalid");
  });
});

describe("an organisation's provider", () => {
  it("that changes its key is followed: its new tokens count after the cooldown, its old ones no longer", async () => {
    const identity = gateway({ cooldownMs: 0 });
    const [before, late] = [await merchant.logIn("anna"), await merchant.logIn("anna")];
    expect(await verdict(identity, before.access)).toBe("linxi/anna");
    await merchant.rotate();
    expect(await verdict(identity, (await merchant.logIn("bo")).access)).toBe("linxi/bo");
    expect(await verdict(identity, late.access)).toBe("token_invalid");
  });

  it("that fails is bridged by its last keys for an hour; the other organisation's people never notice", async () => {
    const identity = gateway({ ageMaxMs: 0, failureCooldownMs: 0 });
    const tokens = await Promise.all([merchant.logIn("anna"), vendor.logIn("chen")]);
    const [first, other] = tokens.map(({ access }) => access);
    expect(await verdict(identity, first ?? "")).toBe("linxi/anna");
    const later = await merchant.logIn("anna");
    const last = await merchant.logIn("anna");
    merchant.breakKeys((_, response) => response.writeHead(500).end());
    expect(await verdict(identity, later.access)).toBe("linxi/anna");
    now += 3_600_000;
    expect(await verdict(identity, last.access)).toBe("issuer_unavailable");
    now -= 3_600_000;
    expect(await verdict(identity, other ?? "")).toBe("yunfu/chen");
  });

  it("is asked for its keys once by a hundred tokens with keys that nobody knows", async () => {
    const identity = gateway();
    const { access } = await merchant.logIn("anna");
    expect(await verdict(identity, access)).toBe("linxi/anna");
    const asked = merchant.keysAsked();
    const [, body, signature] = access.split(".");
    const forged = Array.from({ length: 100 }, (_, i) => {
      const header = Buffer.from(JSON.stringify({ alg: "ES256", typ: "at+jwt", kid: `x${i}` })).toString("base64url");
      return `${header}.${body}.${signature}`;
    });
    expect(new Set(await Promise.all(forged.map((token) => verdict(identity, token))))).toEqual(new Set(["token_invalid"]));
    expect(merchant.keysAsked() - asked).toBeLessThanOrEqual(1);
  });
});

describe("somebody whose token is bound to a key", () => {
  let door: Gateway;
  let keys: CryptoKeyPair;
  let sent: Record<string, string>[];
  const url = new URL("/metrics?", audience);
  beforeAll(async () => {
    const issuers = [{ id: "linxi", issuer: merchant.issuer, keys: { jwks: merchant.jwks } }];
    door = await createGateway({ common: { audience, issuers, operators: [{ issuer: "linxi", subject: "oda" }] } });
    keys = await randomDPoPKeyPair("ES256", { extractable: true });
    sent = [];
  });
  afterAll(() => door?.close());

  const send: Send = (_, headers) => {
    sent.push(headers);
    return door.call("GET", "/metrics", { headers });
  };

  it("comes in with a proof that the client makes for each request", async () => {
    const { access } = await merchant.logIn("oda", keys);
    for (let i = 0; i < 3; i++) expect((await merchant.get(url, access, keys, send)).status).toBe(200);
    expect(new Set(sent.map(({ dpop }) => dpop)).size).toBe(3);
  });

  it("is verified by keys whose age anybody may know, and not whose they are", async () => {
    const told = (await (await door.call("GET", "/readyz")).json()) as { issuers?: unknown };
    expect(told.issuers).toEqual({ keys_age_seconds: expect.any(Number) });
  });

  it("cannot be replayed by who overheard the request, nor by who has the token", async () => {
    const { access } = await merchant.logIn("oda", keys);
    sent = [];
    await merchant.get(url, access, keys, send);
    const [overheard = {}] = sent;
    const thiefs = await randomDPoPKeyPair("ES256", { extractable: true });
    const fresh = async (by: CryptoKeyPair) => {
      sent = [];
      return merchant.get(url, access, by, send);
    };
    await expect(fresh(thiefs)).rejects.toThrow();
    const replays = [overheard, { authorization: `Bearer ${access}` }, { authorization: `DPoP ${access}` }, sent[0] ?? {}];
    for (const headers of replays) {
      const answer = await door.call("GET", "/metrics", { headers });
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, "proof_invalid"]);
      expect(answer.headers.get("www-authenticate")).toMatch(/^DPoP realm="postern", error="invalid_dpop_proof", algs="ES256 /);
    }
    expect((await fresh(keys)).status).toBe(200);
  });
});

describe("a contract that demands a proof of agents", () => {
  let door: Gateway;
  let path: string;
  beforeAll(async () => {
    const issuers = [{ id: "yunfu", issuer: vendor.issuer, audiences: [audience], keys: { jwks: vendor.jwks } }];
    door = await createGateway({ issuers });
    await bringIntoForce(door, { more: "dpop: required\n", seats: "yunfu,ada,first_line,艾达\ndemo,agent-1,first_line,林\n" });
    await importLines(door, [{ id: "U1", name: "林黛玉" }]);
    path = `/v1/contracts/c-test/records/customer/${(await door.database.query("select locator, now() from postern.record"))[0]?.[0]}`;
  });
  afterAll(() => door?.close());

  const send: Send = (_, headers) => door.call("GET", path, { headers });
  const codes = async () => (await entriesOf({ owner: door.database }, "c-test")).map(({ entry }) => entry.outcome.code);

  it("shows nothing for a token that is bound to no key, and its log says that somebody came with one", async () => {
    const { access } = await vendor.logIn("ada");
    const answer = await door.call("GET", path, { headers: { authorization: `Bearer ${access}` } });
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, expect.stringMatching(/^DPoP .*invalid_dpop_proof/)]);
    expect((await door.call("GET", path, { as: "agent-1" })).status).toBe(401);
    expect((await codes()).slice(-2)).toEqual(["proof_invalid", "proof_invalid"]);
  });

  it("is searched, and handed a customer's request, by nobody without one; that there is a seat is still said to its holder", async () => {
    const bare = (method: string, at: string, body?: object) => door.call(method, at, { as: "agent-1", ...(body && { body }) });
    const asked = [
      await bare("POST", "/v1/contracts/c-test/records/customer/search", { by: { id: "U1" } }),
      await bare("POST", `${path}/requests`, { kind: "correction" }),
    ];
    for (const answer of asked)
      expect([answer.status, await answer.json()]).toEqual([401, expect.objectContaining({ code: "proof_invalid" })]);
    expect((await codes()).slice(-2)).toEqual(["proof_invalid", "proof_invalid"]);
    expect(await (await bare("GET", "/v1/me")).json()).toMatchObject({ contracts: [{ contract: "c-test" }] });
  });

  it("shows what it shows to who proves in the request that the key is theirs", async () => {
    const keys = await randomDPoPKeyPair("ES256", { extractable: true });
    const { access } = await vendor.logIn("ada", keys);
    const answer = await vendor.get(new URL(path, gatewayOrigin), access, keys, send);
    expect(await answer.json()).toMatchObject({ fields: { name: "林**" } });
  });
});
