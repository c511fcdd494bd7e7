import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CanonicalValue,
  canonicalJson,
  isJsonObject,
  JsonSyntaxError,
  NumberText,
  parseJson,
  printJson,
} from "../src/kernel/index.ts";
import { cpuMilliseconds } from "./support/cpu-time.ts";

const canonicalValue = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "grapheme" }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value")),
    fc.dictionary(fc.string({ unit: "grapheme" }), tie("value")),
  ),
})).value;

describe("canonical JSON", () => {
  it("is one text for one value, whatever the order of keys, and reads back as that value", () => {
    fc.assert(
      fc.property(canonicalValue, (value) => {
        const text = canonicalJson(value);
        const read = JSON.parse(text) as CanonicalValue;
        expect(canonicalJson(read)).toBe(text);
        expect(canonicalJson(reversed(read))).toBe(text);
        expect(printJson(parseJson(text))).toHaveLength(text.length);
      }),
    );
  });

  it("sorts keys by UTF-16 code unit, as RFC 8785 §3.2.3 has it", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew",
      "1": "One",
      "\u{1f600}": "Emoji",
      "\u0080": "Control",
      "\u00f6": "Latin",
    };
    expect(Object.values(JSON.parse(canonicalJson(value)) as Record<string, string>)).toEqual([
      "One",
      "Carriage Return",
      "Control",
      "Latin",
      "Euro Sign",
      "Emoji",
      "Hebrew",
    ]);
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\"/')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\"/"'); // the strings of RFC 8785 §3.2.2
  });

  it("tells apart what looks alike: NFC and NFD, NUL and nothing", () => {
    expect(canonicalJson("é".normalize("NFC"))).not.toBe(canonicalJson("é".normalize("NFD")));
    expect(canonicalJson("a\u0000")).toBe('"a\\u0000"');
    expect(canonicalJson(-0)).toBe("0");
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it.each([
    ["1e21", 1e21],
    ["2^53", 2 ** 53],
    ["a fraction", 0.5],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
  ])("refuses %s", (_, value) => {
    expect(() => canonicalJson({ n: value })).toThrow(RangeError);
  });

  it("refuses half a character in a value and in a key", () => {
    expect(() => canonicalJson("\ud842")).toThrow(RangeError);
    expect(() => canonicalJson({ "\udfb7": 1 })).toThrow(RangeError);
  });
});

function reversed(value: CanonicalValue): CanonicalValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member ?? null)]),
  );
}

/** Keys that JavaScript does not sort before others, so that print order is text order. */
const key = fc.string({ unit: "grapheme" }).filter((text) => !/^(0|[1-9]\d*)$/.test(text));

describe("lossless JSON", () => {
  it("agrees with JSON.parse wherever nothing would be lost", () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        const read = parseJson(text);
        expect(JSON.parse(printJson(read))).toEqual(JSON.parse(text));
      }),
    );
  });

  it("prints every number with the digits it came with", () => {
    for (const number of [
      "2188082354079975123",
      "47.840",
      "1e999",
      "-0",
      "1E5",
      "0.1",
      "1e21",
      "-1.50e-10",
      "123456789012345678901234567890.10",
    ]) {
      expect(printJson(parseJson(`[{"a":${number}}]`))).toBe(`[{"a":${number}}]`);
    }
    expect(parseJson("2188082354079975123")).toBeInstanceOf(NumberText);
    fc.assert(
      fc.property(fc.bigInt(), fc.nat(), (whole, fraction) => printJson(parseJson(`${whole}.${fraction}`)) === `${whole}.${fraction}`),
    );
  });

  it("keeps what it read in the order it read it", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.string({ unit: "grapheme" }))), (members) => {
        const text = `{${[...new Map(members)].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
        expect(printJson(parseJson(text))).toBe(text);
      }),
    );
  });

  it("takes __proto__ and constructor for keys like any other", () => {
    const read = parseJson('{"__proto__":{"x":1},"constructor":{"prototype":{"x":2}},"toString":3}');
    expect(({} as { x?: unknown }).x).toBeUndefined();
    expect(isJsonObject(read) ? Object.keys(read) : []).toEqual(["__proto__", "constructor", "toString"]);
    expect(printJson(read)).toBe('{"__proto__":{"x":1},"constructor":{"prototype":{"x":2}},"toString":3}');
    expect(() => parseJson('{"__proto__":1,"__proto__":2}')).toThrow("a key stands twice");
  });

  it.each([
    ["a key twice", '{"phone":"x","phone":"1"}', "a key stands twice at character 14"],
    ["a key twice, once escaped", '{"phone":"x","ph\\u006fne":"1"}', "a key stands twice"],
    ["a byte order mark", "\ufeff{}", "unexpected character at character 1"],
    ["text behind it", "{} {}", "unexpected text after the value at character 4"],
    ["NaN", "[NaN]", "unexpected character"],
    ["Infinity", "-Infinity", "unexpected character"],
    ["a leading zero", "01", "unexpected text"],
    ["a bare dot", "1.", "unexpected text"],
    ["a plus", "+1", "unexpected character"],
    ["a trailing comma", "[1,]", "unexpected character"],
    ["a trailing comma in an object", '{"a":1,}', "expected a key"],
    ["a comment", "/* */1", "unexpected character"],
    ["single quotes", "'a'", "unexpected character"],
    ["nothing", "", "unexpected end"],
    ["white space that JSON has not", "\u00a01", "unexpected character"],
    ["a string without an end", '"abc', "string without an end"],
    ["a raw control character", '"a\nb"', "control character in a string"],
    ["a raw NUL", '"a\u0000b"', "control character in a string"],
    ["an unknown escape", '"\\x41"', "unknown escape"],
    ["a short \\u", '"\\u12"', "unknown escape"],
    ["half a character, escaped", '"\\ud842"', "half a character in a string"],
    ["half a character, raw", '"\udfb7"', "half a character in a string"],
    ["half a character in a key", '{"\\ud842":1}', "half a character in a string"],
    ["half a word", "tru", "unexpected character"],
    ["a word with more behind it", "nullx", "unexpected text"],
  ])("refuses %s", (_, text, reason) => {
    expect(() => parseJson(text)).toThrow(JsonSyntaxError);
    expect(() => parseJson(text)).toThrow(reason);
  });

  it("never quotes what it refuses", () => {
    for (const text of ['{"13800138000":1 13800138000}', '["13800138000', '{"13800138000":1,"13800138000":2}', "13800138000x"]) {
      expect(() => parseJson(text)).toThrow(JsonSyntaxError);
      expect(() => parseJson(text)).not.toThrow(/138/);
    }
  });

  it("is bounded in depth and breadth, and fast on what is long", () => {
    const workedMs = cpuMilliseconds(() => {
      expect(() => parseJson("[".repeat(10_000))).toThrow("nested too deep");
      expect(() => parseJson(`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`)).toThrow("nested too deep");
      expect(() => parseJson(`[${"0,".repeat(99_999)}0]`)).toThrow("too many elements");
      expect(() => parseJson(`{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`).join(",")}}`)).toThrow("too many members");
      expect(parseJson(`"${"x".repeat(5_000_000)}"`)).toHaveLength(5_000_000);
      expect(parseJson(`"${"\\n".repeat(500_000)}"`)).toHaveLength(500_000);
      expect(parseJson(`${" ".repeat(1_000_000)}1`)).toBe(1);
    });
    expect(workedMs).toBeLessThan(3000);
  });

  it("accepts depth and breadth up to the limit, also of siblings", () => {
    expect(() => parseJson(`${"[".repeat(32)}${"]".repeat(32)}`)).not.toThrow();
    expect(() => parseJson(`${"[".repeat(33)}${"]".repeat(33)}`)).toThrow("nested too deep");
    expect(() => parseJson(`[${"[],".repeat(50)}[]]`)).not.toThrow();
    expect(() => parseJson("[0,0,0]", { depthMax: 1, breadthMax: 3 })).not.toThrow();
    expect(() => parseJson("[0,0,0,0]", { depthMax: 1, breadthMax: 3 })).toThrow("too many elements");
  });
});
