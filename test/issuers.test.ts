/** What an organisation's issuer may say of its tokens: their kind, who is meant, what they must hold. */
import { describe, expect, it } from "vitest";
import { createIdentity, type IssuerProfile } from "../src/identity/index.ts";
import { issuerProfile } from "../src/issuer-settings.ts";
import { readOperatorFile } from "../src/operator-settings.ts";
import { operatorFile } from "./support/command-line.ts";
import { hasShared, readShared } from "./support/shared.ts";
import { audience, createSmith, noon, type Smith } from "./support/tokens.ts";

const smith = await createSmith();

async function verdict(profile: Partial<IssuerProfile>, token: Promise<string>, by: Smith = smith): Promise<string> {
  const identity = createIdentity({ issuers: [{ ...by.profile, ...profile }], audience, now: () => noon });
  const who = await identity.identify(`Bearer ${await token}`);
  return who.ok ? `${who.value.subject} ${who.value.tokenId}` : who.refusal;
}

describe("an issuer whose access tokens do not say in their header what they are", () => {
  const plain: Partial<IssuerProfile> = { tokenType: "jwt" };
  const scope = { scope: "records.read" };

  it("is believed where its profile allows it, and only where the claims show an access token", async () => {
    for (const typ of ["JWT", "jwt", undefined, "at+jwt"])
      expect(await verdict(plain, smith.token(scope, { typ })), String(typ)).toBe("agent-1 t-1");
    for (const typ of ["logout+jwt", "dpop+jwt", "secevent+jwt", null, 1, ""])
      expect(await verdict(plain, smith.token(scope, { typ })), String(typ)).toBe("token_malformed");
    const shows = [{ scp: ["a"] }, { scp: "a b" }, { typ: "Bearer" }, { azp: "console" }, { azp: "console", aud: [audience, "account"] }];
    for (const claims of shows) expect(await verdict(plain, smith.token(claims, { typ: "JWT" }))).toBe("agent-1 t-1");
    const shown = [{}, { azp: audience }, { azp: "" }, { scope: "" }, { scp: [] }, { scp: [""] }, { scope: 1 }, { azp: ["console"] }];
    for (const claims of shown)
      expect(await verdict(plain, smith.token(claims, { typ: "JWT" })), JSON.stringify(claims)).toBe("token_malformed");
  });

  it("cannot have its ID, refresh or logout tokens taken for one", async () => {
    for (const name of ["nonce", "at_hash", "c_hash", "s_hash"])
      expect(await verdict(plain, smith.token({ ...scope, [name]: "x" }, { typ: "JWT" })), name).toBe("token_malformed");
    for (const typ of ["ID", "Refresh", "Logout"])
      expect(await verdict(plain, smith.token({ ...scope, typ }, { typ: "JWT" }))).toBe("token_invalid");
    const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
    expect(await verdict(plain, smith.token({ ...scope, events }, { typ: "JWT" }))).toBe("token_invalid");
  });

  it("is one by its profile alone: another's tokens are held to their header", async () => {
    expect(await verdict({}, smith.token(scope, { typ: "JWT" }))).toBe("token_malformed");
  });
});

describe("an issuer's claims", () => {
  it("name the holder and the token where its profile says, and nowhere else", async () => {
    const entra = { subjectClaim: "oid", tokenIdClaim: "uti" };
    expect(await verdict(entra, smith.token({ oid: "o-1", uti: "u-1" }))).toBe("o-1 u-1");
    for (const claims of [{ uti: "u-1" }, { oid: "o-1" }, { oid: null, uti: "u-1" }, { oid: ["o-1"], uti: "u-1" }, { oid: "", uti: "u-1" }])
      expect(await verdict(entra, smith.token(claims)), JSON.stringify(claims)).toBe("token_invalid");
    for (const subjectClaim of ["__proto__", "constructor", "toString"])
      expect(await verdict({ subjectClaim }, smith.token())).toBe("token_invalid");
  });

  it("must hold what the profile demands: an absent one means no", async () => {
    const pinned = { required: { tid: ["tenant-a"], groups: ["cs-l1", "cs-l2"], scp: ["records.read"] } };
    const good = { tid: "tenant-a", groups: ["all", "cs-l2"], scp: "openid records.read" };
    expect(await verdict(pinned, smith.token(good))).toBe("agent-1 t-1");
    const bad = [
      { ...good, tid: "tenant-b" },
      { ...good, tid: "TENANT-A" },
      { ...good, tid: undefined },
      { ...good, tid: { 0: "tenant-a" } },
      { ...good, tid: [["tenant-a"]] },
      { ...good, groups: [] },
      { ...good, groups: undefined, _claim_names: { groups: "src1" } },
      { ...good, groups: "cs-l1 cs-l2" },
      { ...good, scp: "records.reading" },
    ];
    for (const claims of bad) expect(await verdict(pinned, smith.token(claims)), JSON.stringify(claims)).toBe("token_invalid");
  });

  it("are for one of its audiences", async () => {
    const two = { audiences: ["urn:a", "urn:b"] };
    expect(await verdict(two, smith.token({ aud: ["account", "urn:b"] }))).toBe("agent-1 t-1");
    expect(await verdict(two, smith.token())).toBe("token_invalid");
    expect(await verdict({ audiences: [] }, smith.token())).toBe("token_invalid");
  });
});

const samples = "apis/idp/decoded-access-tokens.authored.json";
describe.skipIf(!hasShared(samples))("the access tokens of Keycloak, Entra and Okta", () => {
  const read = (): Record<string, { header: object; payload: Record<string, unknown> }> => JSON.parse(readShared(samples));
  const times = { iat: noon / 1000, nbf: noon / 1000, exp: noon / 1000 + 900 };

  it.each([
    ["keycloak", { audiences: ["cs-gateway"] }],
    ["entra_v2", { audiences: ["api-client-guid"], subjectClaim: "oid", tokenIdClaim: "uti", required: { tid: ["tenant-guid"] } }],
    ["okta_custom_as", { audiences: ["api://cs-gateway"], subjectClaim: "uid", required: { groups: ["cs-l1"] } }],
  ])("are read by a profile: %s", async (name, profile: Partial<IssuerProfile>) => {
    const sample = read()[name];
    const by = await createSmith("idp", String(sample?.payload.iss));
    const header = { typ: undefined, ...sample?.header, alg: "ES256", kid: "k1" };
    const token = (claims: object = {}) => by.token({ jti: undefined, uti: "u", ...sample?.payload, ...times, ...claims }, header);
    expect(await verdict({ ...profile, tokenType: "jwt" }, token(), by)).not.toMatch(/^token_/);
    expect(await verdict(profile, token(), by)).toBe("token_malformed");
    const idToken = { nonce: "n", scope: undefined, scp: undefined, typ: "ID" };
    expect(await verdict({ ...profile, tokenType: "jwt" }, token(idToken), by)).toMatch(/^token_(malformed|invalid)$/);
    for (const claim of Object.keys(profile.required ?? {}))
      expect(await verdict({ ...profile, tokenType: "jwt" }, token({ [claim]: undefined }), by)).toBe("token_invalid");
  });
});

describe("the operator's issuers", () => {
  const read = (issuers: string, production = false, vendors = true) =>
    readOperatorFile(
      operatorFile.replace(/^issuers: .*$/m, `issuers:\n${issuers}`).replace(/^vendors.*$/m, vendors ? "$&" : ""),
      "postern.yaml",
      production,
    );
  const own = '{ id: demo, issuer: "https://i.example", jwks: "https://i.example/k"';

  it("say their organisation, audiences, algorithms, kind of token, claims and what these must hold", () => {
    const more = `audience: [a, b], algorithms: [ES256], token_type: jwt, claims: { subject: oid, token_id: uti }, require: { tid: [t] }`;
    const [issuer] = read(`  - ${own}, organisation: m-linxi, ${more} }`, true, false).issuers;
    expect(issuer && !issuer.built_in && issuerProfile(issuer)).toEqual({
      id: "demo",
      issuer: "https://i.example",
      audiences: ["a", "b"],
      algorithms: ["ES256"],
      tokenType: "jwt",
      subjectClaim: "oid",
      tokenIdClaim: "uti",
      required: { tid: ["t"] },
      keys: { jwks: new URL("https://i.example/k") },
    });
  });

  it.each([
    ["a shared secret", "algorithms: [HS256]", /issuers\.0\.algorithms\.0: .*ES256/],
    ["another kind of token", "token_type: id", /issuers\.0\.token_type: .*at\+jwt/],
    ["a mail address for a person", "claims: { subject: email }", /issuers\.0\.claims\.subject: must not be a name/],
    ["a demand for nothing", "require: { groups: [] }", /issuers\.0\.require\.groups/],
    ["an unknown key", "audiences: [a]", /issuers\.0: .*audiences/],
    ["an organisation that is none", "organisation: m-other", /demo: organisation m-other is none of the merchants or vendors/],
  ])("do not start with %s", (_, more, line) => {
    expect(() => read(`  - ${own}, ${more} }`)).toThrow(line);
  });

  it("speak for one organisation's people, where they are its own", () => {
    const issuers = `  - ${own}, organisation: m-linxi }`;
    expect(() => read(issuers)).toThrow(/demo is m-linxi's, and v-yunfu has people by it/);
    expect(() => readOperatorFile(operatorFile.replace("issuers: [demo]", "issuers: [nobody]"), "postern.yaml", false)).toThrow(
      /vendors\.v-yunfu\.issuers: nobody is not one/,
    );
  });
});
