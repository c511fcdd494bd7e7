import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import {
  consistencyProof,
  emptyRange,
  extendRange,
  hashesFromBytes,
  hashesToBytes,
  hashTree,
  inclusionProof,
  isConsistent,
  leafHash,
  nodeHash,
  parseRange,
  rangeAt,
  rangeRoot,
  rootAt,
  rootFromInclusion,
} from "../src/audit/tree.ts";
import { equalBytes, fromBase64, sha256, toBase64, toHex, utf8 } from "../src/crypto/index.ts";
import { hasShared, readShared, sharedPath } from "./support/shared.ts";

const probes = "vectors/transparency-dev-merkle/testdata";
const hashList = z.array(z.string()).nullable();
const inclusionProbe = z.object({
  leafIdx: z.number(),
  treeSize: z.number(),
  root: z.string().nullable(),
  leafHash: z.string().nullable(),
  proof: hashList,
  wantErr: z.boolean(),
});
const consistencyProbe = z.object({
  size1: z.number(),
  size2: z.number(),
  root1: z.string().nullable(),
  root2: z.string().nullable(),
  proof: hashList,
  wantErr: z.boolean(),
});

function readProbes<Schema extends z.ZodType>(folder: string, schema: Schema): z.infer<Schema>[] {
  const files = readdirSync(sharedPath(folder), { recursive: true, withFileTypes: true }).filter(
    (file) => file.isFile() && file.name.endsWith(".json"),
  );
  return files.map((file) => schema.parse(JSON.parse(readShared(`${`${file.parentPath}/`.slice(sharedPath("").length)}${file.name}`))));
}

const bytesOf = (text: string | null): Uint8Array => fromBase64(text ?? "");
const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => leafHash(utf8(`record ${i}`)));

/** RFC 6962 §2.1, word by word: the definition that the fast code is compared with. */
function definedRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only === undefined) return sha256(new Uint8Array(0));
  if (hashes.length === 1) return only;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(definedRoot(hashes.slice(0, split)), definedRoot(hashes.slice(split)));
}

describe.skipIf(!hasShared(probes))("the RFC 6962 probes of transparency-dev", () => {
  it("agrees with all 98 about inclusion", () => {
    const all = readProbes(`${probes}/inclusion`, inclusionProbe);
    const wrong = all.filter((probe) => {
      const root = rootFromInclusion(bytesOf(probe.leafHash), probe.leafIdx, probe.treeSize, (probe.proof ?? []).map(bytesOf));
      return (root !== null && equalBytes(root, bytesOf(probe.root))) === probe.wantErr;
    });
    expect(all).toHaveLength(98);
    expect(wrong).toEqual([]);
  });

  it("agrees with all 98 about consistency", () => {
    const all = readProbes(`${probes}/consistency`, consistencyProbe);
    const wrong = all.filter((probe) => {
      const { size1, size2 } = probe;
      return (
        isConsistent({
          size1,
          size2,
          root1: bytesOf(probe.root1),
          root2: bytesOf(probe.root2),
          proof: (probe.proof ?? []).map(bytesOf),
        }) === probe.wantErr
      );
    });
    expect(all).toHaveLength(98);
    expect(wrong).toEqual([]);
  });
});

describe("the tree of RFC 6962", () => {
  it("gives the published hashes: nothing, and the leaf `hello world`", () => {
    expect(toHex(rangeRoot(emptyRange))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(toBase64(leafHash(utf8("hello world")))).toBe("TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=");
    // The 8 leaves of Certificate Transparency's reference tests.
    const inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const reference = inputs.map((hex) => leafHash(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))));
    expect(toHex(rootAt(hashTree(reference)))).toBe("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    expect(toHex(rootAt(hashTree(reference), 3))).toBe("aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
  });

  it("has one root, however it is computed and however its leaves arrive", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 6 }), (batches) => {
        const total = batches.reduce((sum, batch) => sum + batch, 0);
        const hashes = leaves(total);
        let range = emptyRange;
        for (const batch of batches) range = extendRange(range, hashes.slice(range.size, range.size + batch));
        const expected = definedRoot(hashes);
        expect(rangeRoot(range)).toEqual(expected);
        expect(rootAt(hashTree(hashes))).toEqual(expected);
        expect(rangeAt(hashTree(hashes))).toEqual(range);
      }),
      { numRuns: 60 },
    );
  });

  it("reads a stored range back, and refuses one of another size", () => {
    const range = extendRange(emptyRange, leaves(11));
    const stored = hashesToBytes(range.hashes);
    expect(stored).toHaveLength(3 * 32);
    expect(parseRange(11, stored)).toEqual(range);
    expect(parseRange(12, stored)).toBeNull();
    expect(parseRange(11, stored.subarray(1))).toBeNull();
    expect(hashesFromBytes(new Uint8Array(31))).toBeNull();
  });

  it("proves every leaf at every size up to 40, and no other leaf, place or size", () => {
    const hashes = leaves(40);
    const tree = hashTree(hashes);
    for (let size = 1; size <= 40; size++) {
      const root = rootAt(tree, size);
      for (let index = 0; index < size; index++) {
        const leaf = hashes[index] ?? new Uint8Array(0);
        const proof = inclusionProof(tree, index, size);
        expect(rootFromInclusion(leaf, index, size, proof)).toEqual(root);
        expect(rootFromInclusion(leaf, (index + 1) % (size + 1), size, proof)).not.toEqual(root);
        expect(rootFromInclusion(leaf, index, size, [...proof, leaf])).toBeNull();
        if (proof.length > 0) expect(rootFromInclusion(leaf, index, size, proof.slice(1))).not.toEqual(root);
      }
    }
    expect(() => inclusionProof(tree, 40)).toThrow(RangeError);
  });

  it("proves every size up to 40 an extension of every earlier one, and of nothing else", () => {
    const tree = hashTree(leaves(40));
    for (let size2 = 1; size2 <= 40; size2++) {
      for (let size1 = 1; size1 <= size2; size1++) {
        const claim = { size1, size2, root1: rootAt(tree, size1), root2: rootAt(tree, size2), proof: consistencyProof(tree, size1, size2) };
        expect(isConsistent(claim)).toBe(true);
        expect(isConsistent({ ...claim, root1: sha256(claim.root1) })).toBe(false);
        expect(isConsistent({ ...claim, root2: sha256(claim.root2) })).toBe(false);
        expect(isConsistent({ ...claim, proof: [...claim.proof, claim.root1] })).toBe(false);
      }
    }
  });

  it("neither gives nor believes a consistency proof from size 0", () => {
    const tree = hashTree(leaves(4));
    expect(() => consistencyProof(tree, 0)).toThrow(RangeError);
    expect(isConsistent({ size1: 0, root1: rootAt(tree, 0), size2: 4, root2: rootAt(tree), proof: [] })).toBe(false);
  });

  it("hashes a hundred thousand leaves in about a second", () => {
    const start = performance.now();
    const hashes = leaves(100_000);
    const range = extendRange(emptyRange, hashes);
    const seconds = (performance.now() - start) / 1000;
    expect(range.size).toBe(100_000);
    expect(seconds).toBeLessThan(5); // other suites share the machine; alone it takes well under one
  });
});
