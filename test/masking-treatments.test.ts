/**
 * Coarser values, pseudonyms, answers instead of data, and what two fields of one response may not say together.
 */
import { describe, expect, it } from "vitest";
import { type Json, NumberText } from "../src/kernel/index.ts";
import {
  ageBandOf,
  carrierOf,
  classNames,
  compilePlan,
  type DataClass,
  generalizationsOf,
  generalizeValue,
  joinOf,
  joins,
  maskDocument,
  type PlannedField,
  pseudonymizeValue,
  salutation,
  sameAs,
} from "../src/masking/index.ts";

const today = "2026-11-22";
const key = new Uint8Array(32).fill(1);
const moment = { today, pseudonymKey: key };

describe("a generalized value", () => {
  it.each([
    ["birth_date", "year", "1990-05-06", "1990"],
    ["birth_date", "age_band", "1990-05-06", "30-39"],
    ["birth_date", "age_band", "1996-11-22", "30-39"],
    ["birth_date", "age_band", "1996-11-23", "18-29"],
    ["birth_date", "age_band", "1950-01-01", "70+"],
    ["birth_date", "age_band", "2010-01-01", "14-17"],
    ["birth_date", "year", "2020-01-01", "[敏感:未成年人]"],
    ["birth_date", "year", "yesterday", null],
    ["address", "district", "浙江省杭州市西湖区文三路1号", "浙江省杭州市西湖区"],
    ["address", "city", "浙江省杭州市西湖区文三路1号", "浙江省杭州市"],
    ["address", "city", "北京市海淀区马连洼", "北京市"],
    ["address", "city", "义乌市上溪镇", null],
    ["address", "city", "986 Sunset Drive, Suite 259, Denver, CO 80279", "Denver, CO"],
    ["address", "district", "somewhere", null],
    ["amount", "band", "¥1,234.50", "1000-4999"],
    ["amount", "band", 99.99, "0-99"],
    ["amount", "band", new NumberText("-500.00"), "-500-999"],
    ["amount", "band", "a lot", null],
    ["amount", "year", 99, null],
    ["phone", "city", "13812345678", null],
  ] as const)("%s → %s: %j → %j", (name, to, value, expected) => {
    expect(generalizeValue(name, value as Json, to, today)).toBe(expected);
  });

  it("exists for three classes", () => {
    const known = Object.fromEntries(classNames.map((name) => [name, generalizationsOf(name)]).filter(([, list]) => list?.length));
    expect(known).toEqual({ amount: ["band"], birth_date: ["year", "age_band"], address: ["district", "city"] });
  });
});

describe("a pseudonym", () => {
  it("is one for every spelling of a value, within the class and the contract", () => {
    const made = pseudonymizeValue("phone", "13812345678", key);
    expect(made).toMatch(/^p_[a-z2-7]{26}$/);
    expect(pseudonymizeValue("phone", "+86 138-1234-5678", key)).toBe(made);
    expect(pseudonymizeValue("phone", "一三八幺二三四五六七八", key)).toBe(made);
    expect(pseudonymizeValue("plain", "13812345678", key)).not.toBe(made);
    expect(pseudonymizeValue("phone", "13812345678", new Uint8Array(32).fill(2))).not.toBe(made);
    expect(pseudonymizeValue("business_id", new NumberText("2188082354079975123"), key)).toBe(
      pseudonymizeValue("business_id", "2188082354079975123", key),
    );
  });

  it("is none for shapes without one spelling, for secrets, for free text, for what has few values", () => {
    for (const name of ["secret", "free_text", "health", "religion", "biometrics", "sensitive"] as const)
      expect(pseudonymizeValue(name, "x", key)).toBeNull();
    for (const value of [null, true, ["x"], { a: "x" }, ""]) expect(pseudonymizeValue("phone", value, key)).toBeNull();
    expect(() => pseudonymizeValue("phone", "13812345678", new Uint8Array())).toThrow(RangeError);
  });
});

describe("a field at one of these treatments", () => {
  it("leaves so from a document, and not at all where the treatment lacks what it needs", () => {
    const plan = compilePlan([
      { path: "born", class: "birth_date", treatment: "generalize", to: "age_band" },
      { path: "home", class: "address", treatment: "generalize", to: "city" },
      { path: "total", class: "amount", treatment: "generalize", to: "band" },
      { path: "phone", class: "phone", treatment: "pseudonymize" },
      { path: "other", class: "phone", treatment: "mask", profile: "strict" },
      { path: "wrong", class: "phone", treatment: "generalize", to: "year" },
      { path: "bare", class: "birth_date", treatment: "generalize" },
    ]);
    const { fields, shown } = maskDocument(
      plan,
      {
        born: "1990-05-06",
        home: "浙江省杭州市西湖区文三路1号",
        total: 1234,
        phone: "13812345678",
        other: "13812345678",
        wrong: "13812345678",
        bare: "1990-05-06",
      },
      moment,
    );
    expect(fields).toEqual({
      born: "30-39",
      home: "浙江省杭州市",
      total: "1000-4999",
      phone: pseudonymizeValue("phone", "13812345678", key),
      other: "138******78",
      wrong: null,
      bare: null,
    });
    expect(shown).toEqual({ born: "generalize", home: "generalize", total: "generalize", phone: "pseudonymize", other: "mask" });
  });
});

describe("answers instead of data", () => {
  it("address somebody by surname only where a gender is known", () => {
    expect(salutation("张晓敏", "女")).toBe("张女士");
    expect(salutation("欧阳 修", "male")).toBe("欧阳先生");
    for (const [name, gender] of [
      ["张晓敏", null],
      ["张晓敏", "unknown"],
      ["Daniel Webster", "male"],
      [null, "女"],
      ["张晓敏", 2],
    ] as const)
      expect(salutation(name, gender)).toBe("您好");
  });

  it("say an age band, a carrier, and whether two values are one", () => {
    expect([ageBandOf("1990-05-06", today), ageBandOf("2020-01-01", today), ageBandOf(1990, today)]).toEqual([
      "30-39",
      "[敏感:未成年人]",
      null,
    ]);
    expect(["13812345678", "+86 186 1234 5678", "19212345678", "17012345678", "15412345678", "+44 20 7946 1234", 1].map(carrierOf)).toEqual(
      ["中国移动", "中国联通", "中国广电", "虚拟运营商", null, null, null],
    );
    expect(sameAs("phone", "13812345678", "+86 138-1234-5678")).toBe(true);
    expect(sameAs("phone", "13812345678", "13812345679")).toBe(false);
    expect(sameAs("phone", "13812345678", null)).toBeNull();
  });
});

describe("two fields of one response", () => {
  const together = (...fields: readonly Omit<PlannedField, "path">[]) =>
    compilePlan(fields.map((field, index) => ({ ...field, path: `f${index}` }))).fields.map(({ profile }) => profile);
  const mask = (name: DataClass, profile?: PlannedField["profile"]): Omit<PlannedField, "path"> =>
    profile === undefined ? { class: name, treatment: "mask" } : { class: name, treatment: "mask", profile };

  it("do not complete a resident ID: beside a full date of birth nothing of it is shown", () => {
    const born = { class: "birth_date", treatment: "reveal" } as const;
    expect(together(mask("resident_id"), born)).toEqual(["strict", undefined]);
    expect(together(mask("resident_id", "hutool"), born)).toEqual(["strict", undefined]);
    const { fields } = maskDocument(
      compilePlan([
        { path: "id", ...mask("resident_id") },
        { path: "born", ...born },
      ]),
      { id: "330106199005061234", born: "1990-05-06" },
      moment,
    );
    expect(fields).toEqual({ id: "********", born: "1990-05-06" });
  });

  it("may both be shown where they cannot: an ID's ends and a year", () => {
    expect(together(mask("resident_id", "hutool"), mask("birth_date"))).toEqual(["hutool", undefined]);
    expect(together(mask("resident_id"), { class: "birth_date", treatment: "generalize", to: "year" })).toEqual([undefined, undefined]);
    expect(together(mask("phone"), mask("phone", "strict"))).toEqual([undefined, "strict"]);
    expect(together(mask("plate", "hutool"), mask("plate", "hutool"))).toEqual(["hutool", "hutool"]);
  });

  it("do not show the two halves of a plate, nor more of a phone through an account than through the phone", () => {
    expect(together(mask("plate", "hutool"), mask("plate"))).toEqual(["cn-default", undefined]);
    expect(together(mask("messenger_account"), mask("phone", "strict"))).toEqual(["strict", "strict"]);
    expect(together(mask("nickname"), mask("messenger_account", "strict"))).toEqual(["strict", "strict"]);
  });

  it("are lowered again where lowering one has made a pair of others", () => {
    expect(together(mask("nickname"), mask("messenger_account"), mask("phone", "strict"))).toEqual(["strict", "strict", "strict"]);
  });

  it("are not a year and the band whose change tells the day", () => {
    const [year, band] = (["year", "age_band"] as const).map((to) => ({ class: "birth_date", treatment: "generalize", to }) as const);
    const treatments = (...fields: readonly Omit<PlannedField, "path">[]) =>
      compilePlan(fields.map((field, index) => ({ ...field, path: `f${index}` }))).fields.map(({ treatment }) => treatment);
    if (!year || !band) throw new Error("no fields");
    expect(treatments(year, band)).toEqual(["generalize", "withhold"]);
    expect(treatments(band, band)).toEqual(["generalize", "generalize"]);
    expect(together(mask("birth_date"), band)).toEqual(["strict", undefined]);
  });

  it("are looked for by a table that a policy's check can read", () => {
    expect(joins.map(({ lowers, beside }) => `${lowers.class} ${beside.class}`)).toEqual([
      "resident_id birth_date",
      "plate plate",
      "messenger_account phone",
      "nickname messenger_account",
      "birth_date birth_date",
      "birth_date birth_date",
      "derived birth_date",
      "derived birth_date",
    ]);
    const born = { class: "birth_date", treatment: "reveal" } as const;
    expect(joinOf(mask("resident_id"), [born])?.why).toContain("date of birth");
    expect(joinOf({ class: "resident_id", treatment: "reveal" }, [born])).toBeUndefined();
  });
});
