/** Tokens that are bound to a key (DPoP, RFC 9449), and the proofs that whoever shows them has it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createIdentity, type Identity, type IssuerProfile, withSpentProofs } from "../src/identity/index.ts";
import { createSpentProofs, forgetSpentProofs } from "../src/identity/postgres.ts";
import type { Database } from "../src/storage/index.ts";
import { createMemoryDatabase } from "./support/databases.ts";
import { createHolder, type Holder } from "./support/proofs.ts";
import { audience, createSmith, noon, type Smith } from "./support/tokens.ts";

let smith: Smith;
let holder: Holder;
let other: Holder;
let token: string;
let now: number;

beforeAll(async () => {
  smith = await createSmith();
  [holder, other] = await Promise.all([createHolder(), createHolder()]);
  token = await smith.token({ cnf: { jkt: holder.thumbprint } });
});
beforeEach(() => {
  now = noon;
});

function identityOf(profile: Partial<IssuerProfile> = {}): Identity {
  return createIdentity({ issuers: [{ ...smith.profile, ...profile }], audience, now: () => now });
}

function showing(proof: string | null, of = token) {
  return { authorization: `DPoP ${of}`, proof, method: "GET", path: "/v1/me" };
}

async function verdict(identity: Identity, shown: Parameters<Identity["identify"]>[0]): Promise<string> {
  const who = await identity.identify(shown);
  return who.ok ? who.value.subject : who.refusal;
}

describe("a token that is bound to a key", () => {
  it("counts with a proof of this very request by that key, again with each new one", async () => {
    const identity = identityOf();
    for (let i = 0; i < 3; i++) expect(await verdict(identity, showing(await holder.proof(token)))).toBe("agent-1");
    const lower = { ...showing(await holder.proof(token)), authorization: `dpop ${token}` };
    expect(await verdict(identity, lower)).toBe("agent-1");
    expect(await verdict(identity, showing(await holder.proof(token, { htu: `${audience}/v1/me?a=b#c` })))).toBe("agent-1");
  });

  it("is no bearer's, also when it was verified before", async () => {
    const identity = identityOf();
    expect(await verdict(identity, `Bearer ${token}`)).toBe("proof_invalid");
    expect(await verdict(identity, showing(await holder.proof(token)))).toBe("agent-1");
    expect(await verdict(identity, `Bearer ${token}`)).toBe("proof_invalid");
    expect(await verdict(identity, `DPoP ${token}`)).toBe("proof_invalid");
    expect(await verdict(identity, showing(null))).toBe("proof_invalid");
    const both = { ...showing(await holder.proof(token)), authorization: `Bearer ${token}` };
    expect(await verdict(identity, both)).toBe("proof_invalid");
  });

  it("does not count with a proof of another request, token, time or key", async () => {
    const identity = identityOf();
    const iat = noon / 1000;
    const odd = [
      ...["POST", "get", "", 1, undefined].map((htm) => ({ htm })),
      ...["/v1/me", `${audience}/v1/other`, `${audience}/v1/me/`, `${audience}/V1/me`, "https://evil.example/v1/me"].map((htu) => ({
        htu,
      })),
      ...[`${audience.replace("https", "http")}/v1/me`, `${audience.replace("https://", "https://a@")}/v1/me`, undefined].map((htu) => ({
        htu,
      })),
      ...[iat - 61, iat + 61, String(iat), undefined, null, 0].map((at) => ({ iat: at })),
      ...["", "x", 1, undefined].map((ath) => ({ ath })),
      ...["", 1, "a\u0000b", "x".repeat(256), undefined].map((jti) => ({ jti })),
    ];
    for (const claims of odd)
      expect(await verdict(identity, showing(await holder.proof(token, claims))), JSON.stringify(claims)).toBe("proof_invalid");
    expect(await verdict(identity, showing(await other.proof(token)))).toBe("proof_invalid");
    const second = await smith.token({ jti: "t-2", cnf: { jkt: holder.thumbprint } });
    expect(await verdict(identity, showing(await holder.proof(token), second))).toBe("proof_invalid");
  });

  it("does not count with a proof that says of itself who signed it, or what it is, otherwise", async () => {
    const identity = identityOf();
    const headers = [
      { jwk: other.jwk },
      { typ: "JWT" },
      { typ: undefined },
      { typ: "at+jwt" },
      { jwk: undefined },
      { jwk: "x" },
      { jwk: { ...holder.jwk, d: "x" } },
    ];
    for (const header of headers)
      expect(await verdict(identity, showing(await holder.proof(token, {}, header))), JSON.stringify(header)).toBe("proof_invalid");
    const good = await holder.proof(token);
    const [head, body, signature = ""] = good.split(".");
    const forged = `${head}.${body}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    const none = `${Buffer.from('{"alg":"none","typ":"dpop+jwt"}').toString("base64url")}.${body}.`;
    for (const text of [forged, none, `${good}, ${good}`, `${good} `, "", "a.b.c", token, "x".repeat(100_000)])
      expect(await verdict(identity, showing(text)), text.slice(0, 40)).toBe("proof_invalid");
    expect(await verdict(identity, showing(good))).toBe("agent-1");
  });

  it("is bound by a key's thumbprint, and to nothing else", async () => {
    for (const cnf of [{}, { jkt: "x" }, { "x5t#S256": "x" }, { jkt: holder.thumbprint, jku: "https://evil.example" }, "x", null])
      expect(await verdict(identityOf(), showing(await holder.proof(token), await smith.token({ cnf }))), JSON.stringify(cnf)).toBe(
        "token_invalid",
      );
  });
});

describe("a token that is bound to nothing", () => {
  it("has nothing to prove: with a proof it does not count", async () => {
    const plain = await smith.token();
    expect(await verdict(identityOf(), showing(await holder.proof(plain), plain))).toBe("token_invalid");
    expect(await verdict(identityOf(), `Bearer ${plain}`)).toBe("agent-1");
  });

  it("does not count where its issuer's must be bound", async () => {
    expect(await verdict(identityOf({ proof: "required" }), `Bearer ${await smith.token()}`)).toBe("proof_invalid");
    expect(await verdict(identityOf({ proof: "required" }), showing(await holder.proof(token)))).toBe("agent-1");
  });
});

describe("a proof", () => {
  let database: Database;
  beforeAll(async () => {
    database = await createMemoryDatabase();
  });
  afterAll(() => database?.close());

  const gateway = () => withSpentProofs(identityOf(), createSpentProofs(database));

  it("is taken once, of twenty gateways at the same moment and for as long as it is fresh", async () => {
    const proof = await holder.proof(token);
    const answers = await Promise.all(Array.from({ length: 20 }, () => verdict(gateway(), showing(proof))));
    expect(answers.filter((answer) => answer === "agent-1")).toHaveLength(1);
    expect(answers.filter((answer) => answer === "proof_invalid")).toHaveLength(19);
    await forgetSpentProofs(database);
    now += 60_000;
    expect(await verdict(gateway(), showing(proof))).toBe("proof_invalid");
  });

  it("serves its one request, however often that is asked who sends it", async () => {
    const identity = gateway();
    const shown = showing(await holder.proof(token));
    for (let i = 0; i < 3; i++) expect(await verdict(identity, shown)).toBe("agent-1");
    expect(await verdict(identity, { ...shown })).toBe("proof_invalid");
  });

  it("that was refused is not spent, and nobody else's is spent by its name", async () => {
    const identity = gateway();
    const proof = await holder.proof(token, { jti: "same" });
    expect(await verdict(identity, { ...showing(proof), method: "POST" })).toBe("proof_invalid");
    const others = await smith.token({ cnf: { jkt: other.thumbprint } });
    expect(await verdict(identity, showing(await other.proof(others, { jti: "same" }), others))).toBe("agent-1");
    expect(await verdict(identity, showing(proof))).toBe("agent-1");
  });

  it("is forgotten when it could not be fresh any more", async () => {
    await database.query("update postern.spent_proof set expires_at = now() - interval '1 second'");
    await forgetSpentProofs(database);
    expect(await database.query("select count(*)::int from postern.spent_proof")).toEqual([[0]]);
  });
});
