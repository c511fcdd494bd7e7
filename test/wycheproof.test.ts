import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import {
  type Aead,
  concat,
  createSigner,
  equalBytes,
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

const folder = "vectors/wycheproof/testvectors_v1";
const hex = z.string().transform(fromHex);
const result = z.enum(["valid", "invalid"]);

function readVectors<Test extends z.ZodType>(name: string, test: Test): z.infer<Test>[] {
  const file = z
    .object({ numberOfTests: z.number(), testGroups: z.array(z.object({ tests: z.array(test) })) })
    .parse(JSON.parse(readShared(`${folder}/${name}_test.json`)));
  const tests = file.testGroups.flatMap((group) => group.tests);
  expect(tests).toHaveLength(file.numberOfTests);
  return tests;
}

const aeads: readonly [string, Aead][] = [
  ["portableAead", portableAead],
  ["nodeAead", nodeAead],
];

/** `null` = it would not encrypt that. */
function encrypted(aead: Aead, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, message: Uint8Array): Uint8Array | null {
  try {
    return aead.encrypt(key, nonce, aad, message);
  } catch {
    return null;
  }
}

describe.skipIf(!hasShared(folder))("Wycheproof, through our own functions", () => {
  it.each(aeads)("XChaCha20-Poly1305 by %s: 315", (_, aead) => {
    const tests = readVectors(
      "xchacha20_poly1305",
      z.object({ tcId: z.number(), key: hex, iv: hex, aad: hex, msg: hex, ct: hex, tag: hex, result }),
    );
    expect(tests).toHaveLength(315);
    expect(tests.filter((test) => test.result === "invalid")).toHaveLength(69);
    for (const { tcId, key, iv, aad, msg, ct, tag, result } of tests) {
      const sealed = concat(ct, tag);
      const opened = aead.decrypt(key, iv, aad, sealed);
      const made = encrypted(aead, key, iv, aad, msg);
      expect(opened === null ? null : toHex(opened), `${tcId}`).toBe(result === "valid" ? toHex(msg) : null);
      expect(made !== null && equalBytes(made, sealed), `${tcId}`).toBe(result === "valid");
    }
  });

  it("HKDF-SHA256: 86", () => {
    const tests = readVectors(
      "hkdf_sha256",
      z.object({ tcId: z.number(), ikm: hex, salt: hex, info: hex, size: z.number(), okm: z.string(), result }),
    );
    expect(tests).toHaveLength(86);
    expect(tests.filter((test) => test.result === "invalid")).toHaveLength(3);
    for (const { tcId, ikm, salt, info, size, okm, result } of tests) {
      if (result === "valid") expect(toHex(hkdfSha256(ikm, salt, info, size)), `${tcId}`).toBe(okm);
      else expect(() => hkdfSha256(ikm, salt, info, size), `${tcId}`).toThrow();
    }
  });

  it("HMAC-SHA256: 174", () => {
    const tests = readVectors("hmac_sha256", z.object({ tcId: z.number(), key: hex, msg: hex, tag: hex, result }));
    expect(tests).toHaveLength(174);
    expect(tests.filter((test) => test.result === "invalid")).toHaveLength(108);
    for (const { tcId, key, msg, tag, result } of tests) {
      expect(equalBytes(hmacSha256(key, msg).subarray(0, tag.length), tag), `${tcId}`).toBe(result === "valid"); // some tags are cut to 128 bits
    }
  });

  it("Ed25519: 151", async () => {
    const test = z.object({ tcId: z.number(), msg: hex, sig: hex, result });
    const file = z
      .object({ testGroups: z.array(z.object({ publicKey: z.object({ pk: hex }), tests: z.array(test) })) })
      .parse(JSON.parse(readShared(`${folder}/ed25519_test.json`)));
    const tests = file.testGroups.flatMap(({ publicKey, tests }) => tests.map((test) => ({ ...test, key: publicKey.pk })));
    expect(tests).toHaveLength(151);
    expect(tests.filter((test) => test.result === "invalid")).toHaveLength(63);
    for (const { tcId, key, msg, sig, result } of tests) expect(await verifySignature(key, msg, sig), `${tcId}`).toBe(result === "valid");
  });
});

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
