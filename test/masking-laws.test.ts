/**
 * What holds for every mask and every text, and not only for examples. 100,000 texts each with POSTERN_TEST_LONG=1.
 */
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  classNames,
  type DataClass,
  generalizationsOf,
  generalizeValue,
  type MaskProfile,
  maskProfiles,
  maskValue,
  normalize,
  pseudonymizeValue,
} from "../src/masking/index.ts";
import { runs, runsTimeoutMs } from "./support/long.ts";

vi.setConfig({ testTimeout: runsTimeoutMs });

const today = "2026-11-22";
const named = /^\[敏感.*\]$/;
const guarded = classNames.filter((name) => name !== "plain");

const han = fc.string({ unit: fc.constantFrom(..."林欧阳司马娜王𠮷小区海淀北京市路一三八0"), minLength: 1, maxLength: 30 });
const texts = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }).map((text) => text.toWellFormed()),
  han,
  fc.stringMatching(/^1[3-9][0-9]{9}$/),
  fc.stringMatching(/^\+?[0-9 ()-]{5,20}(-[0-9]{4})?$/),
  fc.emailAddress(),
  fc.stringMatching(/^[0-9]{17}[0-9X]$/),
  fc.stringMatching(/^[0-9]{12,19}$/),
  fc.stringMatching(/^[A-Z][a-z]{1,9} [A-Z][a-z]{1,9}, [A-Z]{2} [0-9]{5}$/),
  fc.stringMatching(/^[A-Z][a-z]{0,9}( [A-Z][a-z]{0,9}){0,2}$/),
  fc.stringMatching(/^[A-Z]{1,2}[0-9]{7,8}$/),
  fc.ipV4(),
  fc.ipV6(),
  fc.stringMatching(/^[浙京陕][A-Z][0-9A-Z]{5,6}$/),
  fc.stringMatching(/^(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]$/),
  fc.stringMatching(/^wxid_[a-z0-9]{4,12}$/),
  fc.constant("DE89 3704 0044 0532 0130 00"),
  fc.constant("浙江省杭州市西湖区文三路1号"),
);

interface Case {
  readonly name: DataClass;
  readonly text: string;
  readonly profile: MaskProfile;
  /** `null` = withheld. */
  readonly masked: string | null;
}

/** A mask's output that names the class only shows nothing of any text: it is not asked about. */
function law(check: (made: Case) => void, profiles: readonly MaskProfile[] = maskProfiles): void {
  fc.assert(
    fc.property(fc.constantFrom(...guarded), fc.constantFrom(...profiles), texts, (name, profile, text) => {
      const masked = maskValue(name, text, profile, today);
      if (masked !== null && typeof masked !== "string") throw new TypeError(`${name} is masked to ${typeof masked}`);
      if (masked === null || !named.test(masked)) check({ name, text, profile, masked });
    }),
    { numRuns: runs(3000) },
  );
}

describe("every mask, of whatever text", () => {
  it("never gives a clear value back", () => {
    law(({ text, masked }) => expect(text !== "" && masked === text && !text.includes("*")).toBe(false));
  });

  it("never takes a clear value with a star in it for a masked one", () => {
    law(({ name, text, profile }) => {
      if (text.length < 4 || text.includes("*")) return;
      const middle = text.length >> 1;
      const starred = `${text.slice(0, middle)}*${text.slice(middle)}`.toWellFormed();
      expect(maskValue(name, starred, profile, today)).not.toBe(starred);
    });
  });

  it("always hides something, behind stars; hutool's of nothing is nothing", () => {
    law(({ text, profile, name, masked }) => {
      const counted = profile === "hutool" && (text === "" || name === "nickname");
      expect(counted || masked === null || masked.includes("*")).toBe(true);
    });
  });

  it("shows no more when the masked value is masked again", () => {
    law(({ name, profile, masked }) => {
      if (masked === null || (profile === "hutool" && name === "nickname")) return;
      const again = String(maskValue(name, masked, profile, today));
      for (const character of new Set(again.replaceAll(/[*:. ]/g, "")))
        expect(count(again, character)).toBeLessThanOrEqual(count(masked, character));
    });
  });

  it("shows only characters of the value, never half of one, and nothing invisible", () => {
    law(({ name, text, profile, masked }) => {
      if (masked === null || (profile === "hutool" && name === "nickname")) return;
      expect(masked.isWellFormed()).toBe(true);
      expect(masked).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      // A phone is shown in the digits it was read as, and under the country code it was read with.
      if (name === "phone" || name === "messenger_account") return;
      const known = text.normalize("NFKC") + text.normalize("NFKC").toUpperCase();
      for (const character of masked.replaceAll(/[*, .:@-]/g, "")) expect(known).toContain(character);
    });
  });

  it("counts no characters: the stars of a class are as many whatever they hide", () => {
    const stars = new Map<string, Set<string>>();
    law(
      ({ name, profile, masked }) => {
        const key = `${name} ${profile}`;
        if (masked !== null) stars.set(key, (stars.get(key) ?? new Set()).add(masked.replaceAll(/[^*]+/g, "·")));
      },
      ["cn-default", "strict"],
    );
    for (const [key, forms] of stars)
      expect(forms.size, `${key}: ${[...forms].join("  ")}`).toBeLessThanOrEqual(starForms[key.split(" ")[0] ?? ""] ?? 2);
  });

  it("is less under strict than under cn-default", () => {
    law(
      ({ name, text, masked }) => {
        const strict = maskValue(name, text, "strict", today);
        if (typeof strict !== "string" || masked === null) return;
        for (const character of new Set(strict.replaceAll(/[*:. ,]/g, "")))
          expect(count(strict, character)).toBeLessThanOrEqual(count(masked, character));
      },
      ["cn-default"],
    );
  });

  it("gives the same mask each time, and to every spelling of one mobile", () => {
    law(({ name, text, profile, masked }) => expect(maskValue(name, text, profile, today)).toBe(masked));
    fc.assert(
      fc.property(fc.stringMatching(/^1[3-9][0-9]{9}$/), fc.constantFrom(...spellings), (mobile, spell) => {
        expect(maskValue("phone", spell(mobile))).toBe(maskValue("phone", mobile));
        expect(normalize("phone", spell(mobile))).toBe(`+86${mobile}`);
      }),
      { numRuns: runs(200) },
    );
  });
});

/** Forms of one class that differ by what was read (a mobile, a landline, a foreign number, with an extension), never by how long it was. */
const starForms: Readonly<Record<string, number>> = {
  nickname: 4,
  phone: 8,
  messenger_account: 16,
  email: 8,
  address: 8,
  person_name: 5,
  ip_address: 4,
  birth_date: 3,
};

describe("a generalized or pseudonymized value, of whatever text", () => {
  const outputs = {
    year: /^[12][0-9]{3}$/,
    age_band: /^(?:14-17|18-29|30-39|40-49|50-59|60-69|70\+)$/,
    band: /^-?(?:0-99|100-499|500-999|1000-4999|5000-9999|10000-49999|50000\+)$/,
  } as const;

  it("shows nothing outside its declared output", () => {
    const known = guarded.flatMap((name) => generalizationsOf(name).map((to) => [name, to] as const));
    expect(known.map(([name, to]) => `${name} ${to}`)).toEqual([
      "amount band",
      "birth_date year",
      "birth_date age_band",
      "address district",
      "address city",
    ]);
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.oneof(texts, fc.integer().map(String)), ([name, to], text) => {
        const out = generalizeValue(name, text, to, today);
        if (out === null || out === "[敏感:未成年人]") return;
        const masked = String(maskValue("address", text));
        if (to !== "district" && to !== "city") expect(out).toMatch(outputs[to]);
        else for (const character of String(out).replaceAll(/[, ]/g, "")) expect(masked).toContain(character);
      }),
      { numRuns: runs(2000) },
    );
  });

  it("is a name that says nothing but whether two values are one", () => {
    const [key, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    fc.assert(
      fc.property(fc.constantFrom(...guarded), texts, texts, (name, text, second) => {
        const made = pseudonymizeValue(name, text, key);
        if (made === null) return;
        expect(made).toMatch(/^p_[a-z2-7]{26}$/);
        expect(pseudonymizeValue(name, text, key)).toBe(made);
        expect(pseudonymizeValue(name, text, other)).not.toBe(made);
        expect(pseudonymizeValue(name, second, key) === made).toBe(normalize(name, second) === normalize(name, text));
      }),
      { numRuns: runs(500) },
    );
  });
});

const spellings: readonly ((mobile: string) => string)[] = [
  (mobile) => `+86${mobile}`,
  (mobile) => `0086 ${mobile}`,
  (mobile) => `86-${mobile}`,
  (mobile) => `(+86) ${mobile.slice(0, 3)} ${mobile.slice(3, 7)} ${mobile.slice(7)}`,
  (mobile) => `${mobile.slice(0, 3)}-${mobile.slice(3, 7)}–${mobile.slice(7)}`,
  (mobile) => [...mobile].join("\u200d"),
  (mobile) => [...mobile].map((digit) => "０１２３４５６７８９"[Number(digit)]).join(""),
  (mobile) => [...mobile].map((digit) => "零一二三四五六七八九"[Number(digit)]).join(""),
  (mobile) => [...mobile].map((digit) => "〇幺两叁肆伍陆拐捌勾"[Number(digit)]).join(""),
  (mobile) => [...mobile].map((digit) => "٠١٢٣٤٥٦٧٨٩"[Number(digit)]).join(""),
  (mobile) => mobile.replace(/^1/, "l"),
  (mobile) => mobile.replaceAll("0", "O"),
];

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
