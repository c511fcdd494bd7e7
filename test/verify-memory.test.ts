/** What the verifier keeps of every id and every writer, in little memory: it must answer as a Map of objects would. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKeyTable } from "../src/audit/key-table.ts";
import { createHashList, createNumbers } from "../src/audit/numbers.ts";
import { randomBytes } from "../src/crypto/index.ts";

describe("a table of texts", () => {
  it("numbers each in the order in which it was first met, however many there are", () => {
    const table = createKeyTable();
    const numbers = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      const key = `key ${i % 7 === 0 ? i >> 1 : i}`;
      const isNew = !numbers.has(key);
      if (isNew) numbers.set(key, numbers.size);
      expect(table.numberOf(key)).toEqual({ number: numbers.get(key), isNew });
    }
  });
});

describe("a list of numbers", () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 1_767_600_000_000, max: 1_767_700_000_000 }),
    fc.maxSafeInteger(),
  );
  it("gives back what was set last, and 0 elsewhere, whatever lies beside it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), value), { maxLength: 60 }), (settings) => {
        const numbers = createNumbers();
        const expected = new Map<number, number>();
        for (const [at, given] of settings) {
          numbers.set(at, given);
          expected.set(at, given);
          for (const place of [...expected.keys(), at + 1, 30_000]) expect(numbers.get(place)).toBe(expected.get(place) ?? 0);
        }
      }),
    );
  });
});

describe("a list of hashes", () => {
  it("gives back what was set, and zeros elsewhere", () => {
    const list = createHashList(16);
    const [first, second] = [randomBytes(16), randomBytes(16)];
    list.set(8_191, first);
    list.set(8_192, second);
    expect([list.get(8_191), list.get(8_192), list.get(3), list.get(90_000)]).toEqual([
      first,
      second,
      new Uint8Array(16),
      new Uint8Array(16),
    ]);
  });
});
