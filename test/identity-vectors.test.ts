/**
 * Wycheproof's JOSE vectors. Theirs are no access tokens, so all of them fail at the front door; the form and the signature step are therefore asked one by one, too.
 */
import { createLocalJWKSet, type JSONWebKeySet, type JWK } from "jose";
import { describe, expect, it } from "vitest";
import { createIdentity } from "../src/identity/index.ts";
import { createSignatureCheck, signatureAlgorithms } from "../src/identity/issuers.ts";
import { usableKeys } from "../src/identity/key-set.ts";
import { readCompact } from "../src/identity/token-form.ts";
import { hasShared, readShared } from "./support/shared.ts";
import { audience, createSmith, noon } from "./support/tokens.ts";

const folder = "vectors/wycheproof/testvectors_v1/";

interface Vector {
  readonly id: string;
  readonly text: string;
  readonly valid: boolean;
  readonly keys: JSONWebKeySet;
}

interface Group {
  readonly comment: string;
  readonly public?: JWK | JSONWebKeySet;
  readonly private?: JWK | JSONWebKeySet;
  readonly tests: readonly { readonly tcId: number; readonly jws?: unknown; readonly jwe?: unknown; readonly result: string }[];
}

function vectors(file: string): Vector[] {
  const { testGroups } = JSON.parse(readShared(`${folder}json_web_${file}_test.json`)) as { testGroups: Group[] };
  return testGroups.flatMap((group) =>
    group.tests.map(({ tcId, jws, jwe, result }) => {
      const text = jws ?? jwe ?? "";
      return {
        id: `${group.comment} ${tcId}`,
        text: typeof text === "string" ? text : JSON.stringify(text),
        valid: result === "valid",
        keys: keySetOf(group.public ?? group.private ?? {}),
      };
    }),
  );
}

function keySetOf(key: JWK | JSONWebKeySet): JSONWebKeySet {
  return "keys" in key ? (key as JSONWebKeySet) : { keys: [key as JWK] };
}

/** The signature step alone, with whatever header the vector has. */
async function signatureHolds({ text, keys }: Vector): Promise<boolean> {
  const header = headerOf(text);
  const check = createSignatureCheck(createLocalJWKSet(usableKeys(keys)), signatureAlgorithms);
  return (await check(text, { alg: String(header.alg), kid: String(header.kid) })).ok;
}

function headerOf(text: string): { alg?: unknown; kid?: unknown } {
  try {
    return JSON.parse(Buffer.from(text.split(".")[0] ?? "", "base64url").toString());
  } catch {
    return {};
  }
}

describe.skipIf(!hasShared(folder))("Wycheproof's JOSE vectors", () => {
  it.each([
    ["signature", 401],
    ["encryption", 139],
    ["key", 26],
    ["crypto", 83],
  ])("%s: none of the %i is an access token", async (file, count) => {
    const smith = await createSmith();
    const identity = createIdentity({ issuers: [smith.profile], audience, now: () => noon });
    const all = vectors(file);
    expect(all).toHaveLength(count);
    for (const { id, text } of all)
      expect(await identity.identify(`Bearer ${text}`), id).toMatchObject({ ok: false, refusal: "token_malformed" });
  });

  it.each([
    ["signature", 355],
    ["key", 21],
    ["crypto", 77],
  ])("%s: all %i invalid ones fail at the form or the signature, under the very keys they name", async (file, count) => {
    const invalid = vectors(file).filter(({ valid }) => !valid);
    expect(invalid).toHaveLength(count);
    const accepted = [];
    for (const vector of invalid) if (readCompact(vector.text) && (await signatureHolds(vector))) accepted.push(vector.id);
    expect(accepted).toEqual([]);
  });

  it("signature: the valid ones with public keys hold, so the rest fails for a reason", async () => {
    const asymmetric = vectors("signature").filter(({ valid, text }) => valid && /^(ES|RS|PS|Ed)/.test(String(headerOf(text).alg)));
    const failed = [];
    for (const vector of asymmetric) if (!(await signatureHolds(vector))) failed.push(vector.id);
    expect(asymmetric.length - failed.length).toBe(32);
    // Their keys are for another algorithm than the header's (`ES521` is none at all).
    expect(failed).toEqual(["rfc7520 346", "rfc7520 347", "rfc7520WithKeyOps 350", "rfc7520WithKeyOps 351"]);
  });

  it("signature: no valid one with a shared secret holds", async () => {
    const symmetric = vectors("signature").filter(({ valid, text }) => valid && /^HS/.test(String(headerOf(text).alg)));
    expect(symmetric.length).toBeGreaterThan(5);
    for (const vector of symmetric) expect(await signatureHolds(vector), vector.id).toBe(false);
  });
});
