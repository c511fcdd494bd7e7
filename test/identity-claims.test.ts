import { beforeAll, describe, expect, it } from "vitest";
import { createIdentity, type Identity } from "../src/identity/index.ts";
import { audience, claimsOf, createSmith, headerOf, noon, type Smith } from "./support/tokens.ts";

const iat = noon / 1000;
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

describe("the claims", () => {
  it("name the issuer to the letter", async () => {
    const iss = smith.profile.issuer;
    const odd = [
      `${iss}/`,
      iss.toUpperCase(),
      [iss],
      null,
      undefined,
      { iss },
      iss.replace("linxi", "beichen"),
      iss.replace("https", "http"),
      "__proto__",
    ];
    for (const other of odd) expect(await verdict(await smith.token({ iss: other })), String(other)).toBe("token_unknown_issuer");
  });

  it("are for us", async () => {
    for (const aud of [
      undefined,
      null,
      "",
      [],
      `${audience}/`,
      audience.toUpperCase(),
      [[audience]],
      { 0: audience },
      "https://other.example",
      [audience, 1],
    ]) {
      expect(await verdict(await smith.token({ aud })), String(aud)).toBe("token_invalid");
    }
  });

  it("end, in whole seconds, at most an hour after they were issued", async () => {
    for (const exp of [
      undefined,
      null,
      "1999999999",
      iat + 3601,
      iat + 10 * 365 * 86_400,
      -1,
      0,
      iat,
      iat - 1,
      iat + 900.5,
      2 ** 53,
      true,
    ]) {
      expect(await verdict(await smith.token({ exp })), String(exp)).toBe("token_invalid");
    }
    for (const exp of ["1e999", `${iat + 900}.0`, `${iat + 900}e0`, "1999999999999999999999"]) {
      const payload = JSON.stringify(claimsOf(smith.profile.issuer)).replace(/"exp":\d+/, `"exp":${exp}`);
      expect(await verdict(await smith.mint(JSON.stringify(headerOf("k1")), payload)), exp).toBe("token_invalid");
    }
    for (const other of [undefined, null, String(iat), -1, 0, 1.5, iat - 3000])
      expect(await verdict(await smith.token({ iat: other }))).toBe("token_invalid");
    expect(await verdict(await smith.token({ exp: iat + 3600 }))).toBe("ok");
  });

  it("are over on the second of their end", async () => {
    let now = noon + 899_999;
    const clocked = createIdentity({ issuers: [smith.profile], audience, now: () => now });
    const [first, second] = [await smith.token({ jti: "a" }), await smith.token({ jti: "b" })];
    expect(await verdict(first, clocked)).toBe("ok");
    now = noon + 900_000;
    expect(await verdict(first, clocked)).toBe("token_expired");
    expect(await verdict(second, clocked)).toBe("token_expired");
  });

  it("do not begin in the future, but for a minute of skew", async () => {
    expect(await verdict(await smith.token({ iat: iat + 60 }))).toBe("ok");
    expect(await verdict(await smith.token({ iat: iat + 61 }))).toBe("token_invalid");
    expect(await verdict(await smith.token({ nbf: iat + 60 }))).toBe("ok");
    expect(await verdict(await smith.token({ nbf: iat + 61 }))).toBe("token_expired");
    for (const nbf of ["0", null, 1.5]) expect(await verdict(await smith.token({ nbf }))).toBe("token_invalid");
  });

  it("name a holder and a token, in visible text of bounded length", async () => {
    for (const name of ["", 1, {}, null, undefined, ["agent-1"], "a\u0000b", "a\nb", "a\u0085", "x".repeat(256)]) {
      expect(await verdict(await smith.token({ sub: name })), String(name)).toBe("token_invalid");
      expect(await verdict(await smith.token({ jti: name })), String(name)).toBe("token_invalid");
    }
    expect(await verdict(await smith.token({ sub: "林".repeat(255) }))).toBe("ok");
    expect(await verdict(await smith.token({ sub: "x".repeat(10_000) }))).toBe("token_malformed");
  });
});
