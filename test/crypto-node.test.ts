/** What a Node process does by OpenSSL, and other runtimes in JavaScript or by WebCrypto, comes out the same. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSigner, portableHashes, randomBytes, verifySignature } from "../src/crypto/index.ts";
import { createNodeSigner } from "../src/crypto/node-ed25519.ts";
import { nodeHashes } from "../src/crypto/node-hash.ts";

const bytes = fc.uint8Array({ maxLength: 300 });

describe("OpenSSL in the place of the portable implementation", () => {
  it("hashes to the same bytes", () => {
    const same = (message: Uint8Array) => {
      expect(nodeHashes.sha256(message)).toEqual(portableHashes.sha256(message));
    };
    fc.assert(fc.property(bytes, same));
  });

  it("gives the same HMAC under keys of any length", () => {
    const same = (key: Uint8Array, message: Uint8Array) => {
      expect(nodeHashes.hmacSha256(key, message)).toEqual(portableHashes.hmacSha256(key, message));
    };
    fc.assert(fc.property(bytes, bytes, same));
  });

  it("answers plain Uint8Arrays, whose slice is a copy", () => {
    for (const made of [nodeHashes.sha256(new Uint8Array()), nodeHashes.hmacSha256(new Uint8Array(1), new Uint8Array())]) {
      expect(made.constructor).toBe(Uint8Array);
    }
  });

  it("signs to the same bytes under the same public key", async () => {
    const signs = async (seed: Uint8Array, message: Uint8Array) => {
      const [ours, portable] = [await createNodeSigner(seed), await createSigner(seed)];
      const signature = await ours.sign(message);
      expect(ours.publicKey).toEqual(portable.publicKey);
      expect(signature).toEqual(await portable.sign(message));
      expect(await verifySignature(portable.publicKey, message, signature)).toBe(true);
    };
    await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes, signs), { numRuns: 25 });
  });

  it("refuses a seed of another length", async () => {
    await expect(createNodeSigner(randomBytes(31))).rejects.toThrow(RangeError);
  });
});
