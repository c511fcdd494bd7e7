import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { createBuiltInIssuer, createIdentity, generateBuiltInKey, type Identity, identityRefusals } from "../src/identity/index.ts";
import { nodeDigest } from "../src/identity/node-digest.ts";
import { audience, base64Url, claimsOf, createSmith, headerOf, noon, type Smith } from "./support/tokens.ts";

let smith: Smith;
let identity: Identity;

beforeAll(async () => {
  smith = await createSmith();
  identity = createIdentity({ issuers: [smith.profile], audience, now: () => noon });
});

async function verdict(token: string, by: Identity = identity): Promise<string> {
  const result = await by.identify(`Bearer ${token}`);
  return result.ok ? "ok" : result.refusal;
}

describe("a token of a configured issuer", () => {
  it("names its holder by our name of the issuer", async () => {
    const result = await identity.identify(`Bearer ${await smith.token()}`);
    expect(result).toEqual({
      ok: true,
      value: { issuer: "linxi", subject: "agent-1", tokenId: "t-1", keyId: "k1", expiresAt: noon + 900_000 },
    });
  });

  it("may spell the scheme and the type in any case, and be for several audiences", async () => {
    const token = await smith.token({ aud: ["https://other.example", audience] }, { typ: "Application/AT+JWT" });
    expect((await identity.identify(`bEARER ${token}`)).ok).toBe(true);
  });

  it("says nothing about roles, whatever it claims", async () => {
    for (const role of ["owner", ["officer"], { name: "owner" }, "AGENT", "agent,officer", "оwner"]) {
      const result = await identity.identify(
        `Bearer ${await smith.token({ role, roles: [role], realm_access: { roles: [role] }, scope: "admin" })}`,
      );
      expect(result.ok && Object.keys(result.value).sort()).toEqual(["expiresAt", "issuer", "keyId", "subject", "tokenId"]);
    }
  });

  it("cannot smuggle claims in by a prototype", async () => {
    const payload = JSON.stringify(claimsOf(smith.profile.issuer)).replace("{", '{"__proto__":{"nbf":9999999999,"cnf":{}},');
    expect(await verdict(await smith.mint(JSON.stringify(headerOf("k1")), payload))).toBe("ok");
    const missing = payload.replace('"jti":"t-1"', '"x":1').replace('{"nbf"', '{"jti":"t-1","nbf"');
    expect(await verdict(await smith.mint(JSON.stringify(headerOf("k1")), missing))).toBe("token_invalid");
  });

  it("may take its audience from the issuer's profile", async () => {
    const own = createIdentity({ issuers: [{ ...smith.profile, audiences: ["urn:own"] }], audience, now: () => noon });
    expect(await verdict(await smith.token({ aud: "urn:own" }), own)).toBe("ok");
    expect(await verdict(await smith.token(), own)).toBe("token_invalid");
  });
});

describe("an Authorization header", () => {
  it("that is absent is told apart from one that is none", async () => {
    expect(await identity.identify(null)).toEqual({ ok: false, refusal: "token_missing" });
    const token = await smith.token();
    const odd = [
      "",
      "Bearer",
      "Bearer ",
      token,
      `Basic ${token}`,
      `Bearer ${token} `,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token}\n`,
      `Bearer\t${token}`,
    ];
    for (const header of odd) expect(await identity.identify(header), header).toEqual({ ok: false, refusal: "token_malformed" });
  });

  it("of 200 kB is refused at once", async () => {
    const started = process.threadCpuUsage();
    expect(await verdict(`${await smith.token()}${"A".repeat(200_000)}`)).toBe("token_malformed");
    expect(await verdict(await smith.token({ pad: "x".repeat(9000) }))).toBe("token_malformed");
    const { user, system } = process.threadCpuUsage(started);
    expect((user + system) / 1_000).toBeLessThan(50);
  });
});

describe("the token's form", () => {
  it("has one text: every other spelling of the same bytes is refused", async () => {
    const token = await smith.token();
    const [head = "", body = "", signature = ""] = token.split(".");
    const last = signature.at(-1) ?? "";
    const sibling = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(last) + 1
    ];
    const texts = [
      `${head}.${body}.${signature}=`,
      `${head}.${body}.${signature}==`,
      `${head}.${body}.${signature.slice(0, -1)}${sibling}`,
      `${head}.${body}.${signature}.`,
      `${head}.${body}`,
      `${head}.${body}.`,
      `.${body}.${signature}`,
      `${head}..${signature}`,
      `${head}.${body}.${signature}.${signature}`,
      `${head}%2E${body}.${signature}`,
      `${head}. ${body}.${signature}`,
      `\ufeff${token}`,
    ];
    for (const text of texts) expect(await verdict(text), text).toBe("token_malformed");
  });

  it("holds each key once, in strict JSON and UTF-8", async () => {
    const header = JSON.stringify(headerOf("k1"));
    const payload = JSON.stringify(claimsOf(smith.profile.issuer));
    expect(await verdict(await smith.mint(header, payload))).toBe("ok");
    for (const bad of [
      payload.replace("{", '{"sub":"owner-1",'),
      `${payload} x`,
      `[${payload}]`,
      "null",
      "{",
      payload.replace("{", '{"a":NaN,'),
      `\ufeff${payload}`,
    ]) {
      expect(await verdict(await smith.mint(header, bad)), bad).toBe("token_malformed");
    }
    for (const bad of [header.replace("{", '{"alg":"none",'), `[${header}]`, header.replace("}", ",}")]) {
      expect(await verdict(await smith.mint(bad, payload)), bad).toBe("token_malformed");
    }
    const [head = "", , signature = ""] = (await smith.token()).split(".");
    expect(await verdict(`${head}.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.${signature}`)).toBe("token_malformed");
  });

  it("must say that it is an access token", async () => {
    for (const typ of [undefined, null, "JWT", "jwt", "logout+jwt", "at+jwt ", ["at+jwt"], "at_jwt", ""]) {
      expect(await verdict(await smith.token({}, { typ })), String(typ)).toBe("token_malformed");
    }
    for (const typ of ["ID", "Refresh", "Logout", 1]) expect(await verdict(await smith.token({ typ }))).toBe("token_invalid");
    expect(await verdict(await smith.token({ events: { "http://schemas.openid.net/event/backchannel-logout": {} } }))).toBe(
      "token_invalid",
    );
    expect(await verdict(await smith.token({ cnf: { jkt: "x" } }))).toBe("token_invalid");
    expect(await verdict(await smith.token({ typ: "Bearer" }))).toBe("ok");
  });

  it("must name its key, and bring none", async () => {
    const odd = [undefined, null, 1, "", "../../../../dev/null", "1' or 1=1--", "a b", "k1\u0000", "k".repeat(10_000), ["k1"], { k: 1 }];
    for (const kid of odd) expect(await verdict(await smith.token({}, { kid })), String(kid)).toBe("token_malformed");
    for (const kid of ["__proto__", "constructor", "K1", "k2"])
      expect(await verdict(await smith.token({}, { kid })), kid).toBe("token_invalid");
    const forbidden = {
      crit: ["exp"],
      jku: "https://evil.example",
      jwk: smith.jwk,
      x5u: "https://evil.example",
      x5c: ["AA"],
      b64: false,
      zip: "DEF",
    };
    for (const [name, value] of Object.entries(forbidden)) {
      expect(await verdict(await smith.token({}, { [name]: value })), name).toBe("token_malformed");
    }
  });
});

describe("the algorithm", () => {
  it("none is none, however it is spelled", async () => {
    for (const alg of ["none", "nOnE", "NONE", "", undefined, null, 0, ["ES256"]]) {
      const token = await smith.token({}, { alg });
      expect(await verdict(token), String(alg)).toMatch(/^token_(malformed|invalid)$/);
      expect(await verdict(token.replace(/[^.]+$/, ""))).toBe("token_malformed");
    }
  });

  it("takes no shared secret: not a common one, and not the issuer's public key", async () => {
    const secrets = [
      "secret",
      "password",
      "changeme",
      "demo",
      "postern",
      "",
      "123456",
      "jwt",
      "key",
      JSON.stringify(smith.jwk),
      smith.jwk.x ?? "",
    ];
    for (const [i, alg] of ["HS256", "HS384", "HS512"].entries()) {
      for (const secret of secrets) {
        const input = `${base64Url(JSON.stringify({ ...headerOf("k1"), alg }))}.${base64Url(JSON.stringify(claimsOf(smith.profile.issuer)))}`;
        const signature = createHmac(["sha256", "sha384", "sha512"][i] ?? "", secret)
          .update(input)
          .digest("base64url");
        expect(await verdict(`${input}.${signature}`)).toBe("token_invalid");
      }
    }
  });

  it("is one of the issuer's own, and the key's", async () => {
    for (const alg of ["ES384", "RS256", "PS256", "EdDSA", "Ed25519", "es256"])
      expect(await verdict(await smith.token({}, { alg })), alg).toBe("token_invalid");
    const onlyRsa = createIdentity({ issuers: [{ ...smith.profile, algorithms: ["RS256"] }], audience, now: () => noon });
    expect(await verdict(await smith.token(), onlyRsa)).toBe("token_invalid");
  });

  it("verifies over these very bytes", async () => {
    const [head, , signature] = (await smith.token()).split(".");
    const other = base64Url(JSON.stringify({ ...claimsOf(smith.profile.issuer), sub: "owner-1" }));
    expect(await verdict(`${head}.${other}.${signature}`)).toBe("token_invalid");
    const twin = await createSmith("linxi", smith.profile.issuer, "k1");
    expect(await verdict(await twin.token())).toBe("token_invalid");
  });
});

describe("the built-in issuer", () => {
  it("signs tokens that its own profile verifies, and another process's key does not", async () => {
    const [ours, theirs] = [createBuiltInIssuer(await generateBuiltInKey()), createBuiltInIssuer(await generateBuiltInKey())];
    const by = createIdentity({ issuers: [ours.profile], audience, now: () => noon, digest: nodeDigest });
    const ask = { subject: "agent-1", audience, ttlSeconds: 900, now: noon };
    const result = await by.identify(`Bearer ${await ours.sign(ask)}`);
    expect(result).toMatchObject({ ok: true, value: { issuer: "demo", subject: "agent-1", expiresAt: noon + 900_000 } });
    expect(await verdict(await theirs.sign(ask), by)).toBe("token_invalid");
    expect(await verdict(await ours.sign({ ...ask, now: noon - 3_600_000 }), by)).toBe("token_expired");
    expect(await ours.sign(ask)).not.toBe(await ours.sign(ask));
  });

  it("publishes no secret, and takes its key back from JSON only", async () => {
    const key = await generateBuiltInKey();
    expect(JSON.stringify(createBuiltInIssuer(key).profile)).not.toContain(key.d);
    expect(createBuiltInIssuer(JSON.parse(JSON.stringify(key))).profile).toEqual(createBuiltInIssuer(key).profile);
    for (const bad of [null, {}, { ...key, d: undefined }, { ...key, crv: "X25519" }, smith.jwk, "key"])
      expect(() => createBuiltInIssuer(bad)).toThrow(RangeError);
  });

  it("signs for an hour at most", async () => {
    const issuer = createBuiltInIssuer(await generateBuiltInKey());
    for (const ttlSeconds of [0, -1, 3601, 1.5, Number.NaN]) {
      await expect(issuer.sign({ subject: "agent-1", audience, ttlSeconds, now: noon })).rejects.toThrow(RangeError);
    }
  });
});

describe("a refusal", () => {
  it("is the client's fault in every case but one", () => {
    const down = Object.entries(identityRefusals).filter(([, { status }]) => status !== 401);
    expect(down).toEqual([["issuer_unavailable", { status: 503 }]]);
  });
});
