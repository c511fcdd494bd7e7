import fc from "fast-check";
import type { JSONWebKeySet, JWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Aead,
  concat,
  createSigner,
  fromHex,
  hkdfSha256,
  hmacSha256,
  open,
  portableAead,
  seal,
  toHex,
  utf8,
  verifySignature,
} from "../src/crypto/index.ts";
import { nodeAead } from "../src/crypto/node-aead.ts";
import { hasShared, readShared } from "./support/shared.ts";
import type { Vectors } from "./support/wycheproof.ts";
import { type Runtime, runtimes } from "./support/wycheproof-runtimes.ts";

const folder = "vectors/wycheproof/testvectors_v1";

type Judged<Test> = Test & { readonly tcId: number; readonly result: "valid" | "invalid" | "acceptable" };

/** The tests of a file with what its groups say, so many, and so many of them invalid. */
function readVectors<Test, Group = unknown>(
  name: string,
  [count, invalid]: readonly [number, number],
): (Judged<Test> & { readonly group: Group })[] {
  const { testGroups } = JSON.parse(readShared(`${folder}/${name}_test.json`)) as { testGroups: (Group & { tests: Judged<Test>[] })[] };
  const tests = testGroups.flatMap((group) => group.tests.map((test) => ({ ...test, group })));
  expect([tests.length, tests.filter(({ result }) => result === "invalid").length]).toEqual([count, invalid]);
  return tests;
}

interface TokenGroup {
  readonly comment: string;
  readonly public?: JWK | JSONWebKeySet;
  readonly private?: JWK | JSONWebKeySet;
}

type TokenVector = Judged<Vectors["jws"]> & { readonly id: string };

/** Texts that claim a signature, each with the keys that it names. */
function tokenVectors(file: string, counts: readonly [number, number]): TokenVector[] {
  const tests = readVectors<{ readonly jws?: unknown; readonly jwe?: unknown }, TokenGroup>(`json_web_${file}`, counts);
  return tests.map(({ jws, jwe, group, tcId, result }) => {
    const text = jws ?? jwe ?? "";
    const written = typeof text === "string" ? text : JSON.stringify(text);
    const key = group.public ?? group.private ?? {};
    const keys = "keys" in key ? (key as JSONWebKeySet) : { keys: [key as JWK] };
    return { id: `${group.comment} ${tcId}`, tcId, result, text: written, keys, ...headerOf(written) };
  });
}

function headerOf(text: string): { readonly alg: string; readonly kid: string } {
  try {
    const { alg, kid } = JSON.parse(Buffer.from(text.split(".")[0] ?? "", "base64url").toString()) as { alg?: unknown; kid?: unknown };
    return { alg: String(alg), kid: String(kid) };
  } catch {
    return { alg: "undefined", kid: "undefined" };
  }
}

describe.skipIf(!hasShared(folder)).each(runtimes)("Wycheproof, through our own functions, %s", (_name, openRuntime) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openRuntime();
  });
  afterAll(() => runtime?.close());

  it("XChaCha20-Poly1305: 315", async () => {
    const tests = readVectors<Vectors["xchacha"]>("xchacha20_poly1305", [315, 69]);
    const expected = tests.map(({ result, msg }) => ({ opened: result === "valid" ? msg : null, seals: result === "valid" }));
    expect(await runtime.ask("xchacha", tests)).toEqual(expected);
  });

  it("HKDF-SHA256: 86", async () => {
    const tests = readVectors<Vectors["hkdf"] & { readonly okm: string }>("hkdf_sha256", [86, 3]);
    expect(await runtime.ask("hkdf", tests)).toEqual(tests.map(({ result, okm }) => (result === "valid" ? okm : null)));
  });

  it("HMAC-SHA256: 174", async () => {
    const tests = readVectors<Vectors["hmac"]>("hmac_sha256", [174, 108]);
    expect(await runtime.ask("hmac", tests)).toEqual(tests.map(({ result }) => result === "valid"));
  });

  it("Ed25519: 151", async () => {
    const tests = readVectors<Omit<Vectors["ed25519"], "pk">, { readonly publicKey: { readonly pk: string } }>("ed25519", [151, 63]);
    const asked = tests.map(({ msg, sig, group }) => ({ msg, sig, pk: group.publicKey.pk }));
    expect(await runtime.ask("ed25519", asked)).toEqual(tests.map(({ result }) => result === "valid"));
  });

  it.each([
    ["ES256", "ecdsa_secp256r1_sha256_p1363", [262, 89]],
    ["RS256", "rsa_signature_2048_sha256", [259, 249]],
    ["PS256", "rsa_pss_2048_sha256_mgf1_32", [108, 45]],
  ] as const)("%s, by the runtime's own WebCrypto: %s", async (alg, file, counts) => {
    const tests = readVectors<Omit<Vectors["token"], "alg" | "der">, { readonly publicKeyDer: string }>(file, counts);
    // One of RSA is neither: its encoding leaves out what some leave out.
    const judged = tests.filter(({ result }) => result !== "acceptable");
    const asked = judged.map(({ msg, sig, group }) => ({ alg, msg, sig, der: group.publicKeyDer }));
    expect(await runtime.ask("token", asked)).toEqual(judged.map(({ result }) => result === "valid"));
  });

  it.each([
    ["signature", [401, 355]],
    ["key", [26, 21]],
    ["crypto", [83, 77]],
  ] as const)(
    "JOSE, %s: every invalid one of %j fails at the form or the signature, under the very keys it names",
    async (file, counts) => {
      const invalid = tokenVectors(file, counts).filter(({ result }) => result === "invalid");
      const answers = await runtime.ask("jws", invalid);
      expect(invalid.filter((_, i) => answers[i]?.formed && answers[i]?.holds).map(({ id }) => id)).toEqual([]);
    },
  );

  it("JOSE, signature: the valid ones with public keys hold, so the rest fails for a reason; none with a shared secret does", async () => {
    const valid = tokenVectors("signature", [401, 355]).filter(({ result }) => result === "valid");
    const answers = await runtime.ask("jws", valid);
    const held = (algorithms: RegExp, holds: boolean) =>
      valid.filter(({ alg }, i) => algorithms.test(alg) && answers[i]?.holds === holds).map(({ id }) => id);
    expect(held(/^(ES|RS|PS|Ed)/, true)).toHaveLength(32);
    // Their keys are for another algorithm than the header's (`ES521` is none at all).
    expect(held(/^(ES|RS|PS|Ed)/, false)).toEqual(["rfc7520 346", "rfc7520 347", "rfc7520WithKeyOps 350", "rfc7520WithKeyOps 351"]);
    expect([held(/^HS/, true), held(/^HS/, false).length > 5]).toEqual([[], true]);
  });
});

const aeads: readonly (readonly [string, Aead])[] = [
  ["portableAead", portableAead],
  ["nodeAead", nodeAead],
];

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe("sealing", () => {
  it("gives the published bytes (draft-irtf-cfrg-xchacha-03, A.3.1)", () => {
    const key = fromHex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
    const nonce = fromHex("404142434445464748494a4b4c4d4e4f5051525354555657");
    const text = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    for (const [, aead] of aeads) {
      const sealed = aead.encrypt(key, nonce, fromHex("50515253c0c1c2c3c4c5c6c7"), utf8(text));
      expect(toHex(sealed)).toMatch(/^bd6d179d3e83d43b/);
      expect(toHex(sealed.subarray(-16))).toBe("c0875924c1c7987947deafd8780acf49");
    }
  });

  it("gives the same bytes by OpenSSL as by JavaScript, and each opens the other's", () => {
    fc.assert(
      fc.property(
        bytes(32),
        bytes(24),
        fc.uint8Array({ maxLength: 80 }),
        fc.uint8Array({ maxLength: 5000 }),
        (key, nonce, aad, message) => {
          const sealed = portableAead.encrypt(key, nonce, aad, message);
          expect(nodeAead.encrypt(key, nonce, aad, message)).toEqual(sealed);
          expect(nodeAead.decrypt(key, nonce, aad, sealed)).toEqual(message);
          expect(portableAead.decrypt(key, nonce, aad, sealed)).toEqual(message);
        },
      ),
    );
  });

  it("does not mind keys and nonces that are slices of a larger buffer", () => {
    fc.assert(
      fc.property(bytes(32), bytes(24), fc.nat(40), (key, nonce, offset) => {
        const pool = Buffer.alloc(200, 7);
        pool.set(key, offset);
        pool.set(nonce, offset + 32);
        const sealed = nodeAead.encrypt(pool.subarray(offset, offset + 32), pool.subarray(offset + 32, offset + 56), utf8("a"), utf8("m"));
        expect(sealed).toEqual(portableAead.encrypt(key, nonce, utf8("a"), utf8("m")));
      }),
    );
  });

  it.each(aeads)("opens to what was sealed, and to nothing under another key, place or byte (%s)", (_, aead) => {
    fc.assert(
      fc.property(bytes(32), fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 300 }), fc.nat(), (key, aad, message, at) => {
        const sealed = seal(aead, key, aad, message);
        const flipped = (text: Uint8Array) => Uint8Array.from(text, (byte, i) => (i === at % text.length ? byte ^ 1 : byte));
        expect(open(aead, key, aad, sealed)).toEqual(message);
        expect(open(aead, flipped(key), aad, sealed)).toBeNull();
        expect(open(aead, key, concat(aad, utf8("x")), sealed)).toBeNull();
        expect(open(aead, key, aad, flipped(sealed))).toBeNull();
        expect(open(aead, key, aad, sealed.subarray(0, at % sealed.length))).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  it.each(aeads)("takes keys of 32 bytes and nonces of 24 only (%s)", (_, aead) => {
    const sealed = aead.encrypt(new Uint8Array(32), new Uint8Array(24), new Uint8Array(0), utf8("m"));
    for (const [key, nonce] of [
      [0, 24],
      [16, 24],
      [31, 24],
      [33, 24],
      [32, 0],
      [32, 12],
      [32, 23],
      [32, 25],
    ] as const) {
      expect(() => aead.encrypt(new Uint8Array(key), new Uint8Array(nonce), new Uint8Array(0), utf8("m"))).toThrow();
      expect(aead.decrypt(new Uint8Array(key), new Uint8Array(nonce), new Uint8Array(0), sealed)).toBeNull();
    }
  });
});

describe("hashes and signatures", () => {
  it("give the published values (RFC 4231 §4.3, RFC 5869 A.1, RFC 8032 §7.1)", async () => {
    expect(toHex(hmacSha256(utf8("Jefe"), utf8("what do ya want for nothing?")))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    const okm = hkdfSha256(new Uint8Array(22).fill(0x0b), fromHex("000102030405060708090a0b0c"), fromHex("f0f1f2f3f4f5f6f7f8f9"), 42);
    expect(toHex(okm)).toBe("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    const signer = await createSigner(fromHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
    expect(toHex(signer.publicKey)).toBe("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const signature = await signer.sign(new Uint8Array(0));
    expect(toHex(signature)).toMatch(/^e5564300c360ac729086e2cc806e828a/);
    expect(await verifySignature(signer.publicKey, new Uint8Array(0), signature)).toBe(true);
    expect(await verifySignature(signer.publicKey, utf8("x"), signature)).toBe(false);
  });

  it("is false, not a fault, for a key or signature of another length", async () => {
    for (const length of [0, 31, 33, 64]) expect(await verifySignature(new Uint8Array(length), utf8("m"), new Uint8Array(64))).toBe(false);
    for (const length of [0, 63, 65])
      expect(await verifySignature(new Uint8Array(32).fill(9), utf8("m"), new Uint8Array(length))).toBe(false);
    await expect(createSigner(new Uint8Array(31))).rejects.toThrow(RangeError);
  });
});
