import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLeakScanner, type Encoding, encodings, findLeaks } from "./support/leaks.ts";

/** How each encoding is written by somebody who wants a value out. Several spellings of one encoding are all to be found. */
const spellings: Readonly<Record<Encoding, readonly ((value: string) => string)[]>> = {
  raw: [(value) => value, (value) => value.replace(/[a-z]/g, (letter) => letter.toUpperCase())],
  url: [encodeURIComponent, percentAll, (value) => percentAll(value).toLowerCase(), (value) => value.replaceAll(" ", "+")],
  base64: [0, 1, 2].flatMap((offset) =>
    (["base64", "base64url"] as const).map(
      (alphabet) => (value: string) => Buffer.from(`${"~".repeat(offset)}${value}~`).toString(alphabet),
    ),
  ),
  hex: [(value) => Buffer.from(value).toString("hex"), (value) => Buffer.from(value).toString("hex").toUpperCase()],
  escape: [(value) => perUnit(value, (unit) => `\\u${hex4(unit)}`), (value) => perUnit(value, (unit) => `\\u${hex4(unit).toUpperCase()}`)],
  entity: [(value) => perPoint(value, (point) => `&#${point};`), (value) => perPoint(value, (point) => `&#x${point.toString(16)};`)],
  reversed: [(value) => [...value].reverse().join("")],
  last_digits: [(value) => value.replace(/\D/g, "").slice(-8)],
};

const long = "O'Neil & Søn, 986 Sunset Drive";
const phone = "+1 (303) 555-01 42";

describe("the scanner finds a value of eight characters or more", () => {
  for (const encoding of encodings) {
    it(`in any text, encoded as ${encoding}`, () => {
      const value = encoding === "last_digits" ? phone : long;
      for (const write of spellings[encoding]) {
        const text = `{"a":["x${write(value)}y"]}`;
        expect(findLeaks(text, [value])).toContainEqual({ value, encoding: write(value) === value ? "raw" : encoding });
      }
    });
  }

  it("whatever it is, wherever it stands, among ten thousand others", () => {
    const others = Array.from({ length: 10_000 }, (_, i) => `other.person${i}@example.com`);
    const anywhere = fc.tuple(fc.string({ maxLength: 40, unit: "grapheme-ascii" }), fc.string({ maxLength: 40 }));
    const value = fc.string({ minLength: 8, maxLength: 30, unit: "grapheme" }).filter((text) => !/[\\&%+]/.test(text));
    const scanOthers = createLeakScanner(others);
    const way = fc.constantFrom(...encodings.filter((encoding) => encoding !== "last_digits"));
    fc.assert(
      fc.property(value, anywhere, way, fc.nat(5), (secret, [before, after], encoding, n) => {
        const write = spellings[encoding][n % spellings[encoding].length] ?? String;
        const text = `${before} ${write(secret)} ${after}`;
        expect(findLeaks(text, [secret, ...others.slice(0, 3)]).map((leak) => leak.value)).toContain(secret);
        expect(scanOthers.scan(text)).toEqual([]);
      }),
    );
  });

  it("half-encoded", () => {
    expect(findLeaks("986 Sun\\u0073et Drive", ["986 Sunset Drive"])).toEqual([{ value: "986 Sunset Drive", encoding: "escape" }]);
    expect(findLeaks("986&#32;Sunset&nbsp;Drive", ["986 Sunset Drive"])).toEqual([{ value: "986 Sunset Drive", encoding: "entity" }]);
    expect(findLeaks("986%20Sunset Drive", ["986 Sunset Drive"])).toEqual([{ value: "986 Sunset Drive", encoding: "url" }]);
  });

  it("in bytes that are no text", () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0x00, 0xc3]), Buffer.from("986 Sunset Drive"), Buffer.from([0x80, 0xfe])]);
    expect(findLeaks(new Uint8Array(bytes), ["986 Sunset Drive"])).toEqual([{ value: "986 Sunset Drive", encoding: "raw" }]);
  });
});

describe("a value under eight characters", () => {
  const answer = (field: string) => ({ text: `{"fields":{"a":${JSON.stringify(field)}}}`, options: { fields: ["a", field] } });

  it("is not looked for in text that is no answer", () => {
    for (const write of Object.values(spellings).flat()) expect(findLeaks(write("Noah"), ["Noah", "80279"])).toEqual([]);
  });

  it("counts in an answer as a whole token only", () => {
    for (const text of ["Noah", "Mr. NOAH Brown", "noah.brown7922@example.com", "noah_brown"]) {
      const { options } = answer(text);
      expect(findLeaks(text, ["Noah"], options)).toEqual([{ value: "Noah", encoding: "raw" }]);
    }
    for (const text of ["N***", "Noahs", "noah1", "Manoah"]) expect(findLeaks(text, ["Noah"], answer(text).options)).toEqual([]);
    expect(findLeaks("Denver, CO 802**", ["80279"], { fields: [] })).toEqual([]);
    expect(findLeaks("x-zip: 80279", ["80279"], { fields: [] })).toEqual([{ value: "80279", encoding: "raw" }]);
    expect(findLeaks("10802790 1.80279", ["80279"], { fields: [] })).toEqual([{ value: "80279", encoding: "raw" }]);
    expect(findLeaks("10802790", ["80279"], { fields: [] })).toEqual([]);
  });

  it("counts encoded inside a decoded field", () => {
    for (const encoding of encodings.filter((one) => one !== "last_digits")) {
      for (const write of spellings[encoding]) {
        for (const value of ["Sofia", "80279"]) {
          const { text, options } = answer(`see ${write(value)}`);
          expect(findLeaks(text, [value], options).map((leak) => leak.value)).toContain(value);
        }
      }
    }
  });

  it("does not count encoded outside the fields, where chance writes it", () => {
    expect(findLeaks(`promise: ${Buffer.from("Noah").toString("base64")}`, ["Noah"], { fields: [] })).toEqual([]);
    expect(findLeaks(`id: ${Buffer.from("Li").toString("hex")}`, ["Li"], { fields: [] })).toEqual([]);
  });

  it("of two letters counts in base64 only as a whole", () => {
    expect(findLeaks("", ["Li"], { fields: ["TGk="] })).toEqual([{ value: "Li", encoding: "base64" }]);
    expect(findLeaks("", ["Li"], { fields: ["xTGkx"] })).toEqual([]);
  });

  it("in a script without spaces counts inside a word", () => {
    expect(findLeaks("买家林小满您好", ["林小满"], { fields: [] })).toEqual([{ value: "林小满", encoding: "raw" }]);
  });
});

describe("the scanner raises no false alarm", () => {
  it("over masked values", () => {
    const masked = "N*** B*** n***@example.com Denver, CO 802** 138****5678 ****";
    expect(findLeaks(masked, ["Noah", "Brown", "noah.brown7922@example.com", "986 Sunset Drive", "80279"], { fields: [masked] })).toEqual(
      [],
    );
  });

  it("over a megabyte of random bytes, with ten thousand values", () => {
    const values = Array.from({ length: 10_000 }, (_, i) => `${i} Sunset Drive`);
    expect(createLeakScanner(values).scan(randomBytes(2 ** 20))).toEqual([]);
  });

  it("over eight digits amid the letters of an id or a digest, but over those beside a word", () => {
    const own = "13960350364";
    for (const id of ["0b1c60350364", "60350364d0e1", `${"9".repeat(20)}60350364${"0".repeat(30)}c`])
      expect(findLeaks(`"${id}"`, [own])).toEqual([]);
    for (const told of ["phone60350364", "60350364", "0086060350364", "de 60350364"])
      expect(findLeaks(`"${told}"`, [own])).toEqual([{ value: own, encoding: "last_digits" }]);
  });

  it("over seven digits of a number, or digits of another one", () => {
    expect(findLeaks("5550142 35550143", [phone])).toEqual([]);
  });
});

function percentAll(value: string): string {
  return [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`).join("");
}

function hex4(unit: number): string {
  return unit.toString(16).padStart(4, "0");
}

function perUnit(value: string, write: (unit: number) => string): string {
  return Array.from({ length: value.length }, (_, i) => write(value.charCodeAt(i))).join("");
}

function perPoint(value: string, write: (point: number) => string): string {
  return [...value].map((character) => write(character.codePointAt(0) ?? 0)).join("");
}
