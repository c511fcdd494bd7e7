/**
 * Masks: what each class may show, and what no mask ever shows.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, NumberText, parseJson } from "../src/kernel/index.ts";
import { classNames, dataClasses, maskValue, normalize } from "../src/masking/index.ts";

const guarded = classNames.filter((name) => name !== "plain");

describe("a masked value of each class", () => {
  it.each([
    ["phone", "13812345678", "138****5678"],
    ["phone", "+86 138-1234-5678", "138****5678"],
    ["phone", "１３８１２３４５６７８", "138****5678"],
    ["phone", "一三八幺二三四五六七八", "138****5678"],
    ["phone", "l38 1234 5678", "138****5678"],
    ["phone", "13212345774-1234", "132****5774-****"],
    ["phone", "13212345774转1234", "132****5774-****"],
    ["phone", "0915-6234579", "0915****79"],
    ["phone", "+86 915 6234579", "0915****79"],
    ["phone", "010-62345678", "010****78"],
    ["phone", "+44 20 7946 1234", "+44 ****1234"],
    ["phone", "+1 (206) 555-9857", "+1 ****9857"],
    ["phone", "12345", "****"],
    ["phone", "not a phone", "****"],
    ["person_name", "林黛玉", "林**"],
    ["person_name", "林冲", "林**"],
    ["person_name", "欧阳娜娜", "欧阳**"],
    ["person_name", "欧阳", "欧**"],
    ["person_name", "\u202e林\u2066黛玉", "林**"],
    ["address", "浙江省\u202e杭州市西湖区文三路", "浙江省杭州市西湖区****"],
    ["person_name", "𠮷田太郎", "𠮷**"],
    ["person_name", "阿卜杜拉·买买提", "阿**"],
    ["person_name", "Daniel Webster", "D*** W***"],
    ["person_name", "Ana Maria de la Cruz", "A*** C***"],
    ["person_name", "e\u0301lodie durand", "é*** d***"],
    ["person_name", "林", "*"],
    ["person_name", "A B", "*"],
    ["person_name", "", "*"],
    ["person_name", "   ", "*"],
    ["person_name", "👨‍👩‍👧", "*"],
    ["person_name", "noah_brown_6181", "*"],
    ["person_name", "林黛玉".repeat(200), "*"],
    ["email", "daniel@126.com", "d***@126.com"],
    ["email", "a@b.co", "***@b.co"],
    ["email", '"a b"@x.com', "***@x.com"],
    ["email", "张三@例子.中国", "张***@例子.中国"],
    ["email", "john@johnsmith.com", "j***@***"],
    ["email", "me@smith.family", "m***@***"],
    ["email", "x@13800138000.com", "***@***"],
    ["email", "no at sign", "***"],
    ["email", "a@b@c.com", "***"],
    ["resident_id", "33010619900101123X", "3********X"],
    ["resident_id", "not an id at all", "********"],
    ["payment_card", "6222 0212 3456 2631", "****2631"],
    ["payment_card", "1234", "****"],
    ["address", "北京市海淀区马连洼街道289号", "北京市海淀区****"],
    ["address", "浙江 杭州 西湖区 文三路1号", "浙江杭州西湖区****"],
    ["address", "宁波市江东区金家一路", "宁波市江东区****"],
    ["address", "浙江省杭州市浙江省杭州市西湖区文三路", "浙江省杭州市西湖区****"],
    ["address", "浙江省杭州市幸福小区3号", "浙江省杭州市****"],
    ["address", "广东省东莞市长安镇沙头村", "广东省东莞市****"],
    ["address", "南京东路100号", "****"],
    ["address", "北京路12号", "****"],
    ["address", "986 Sunset Drive, Suite 259, Denver, CO 80279", "Denver, CO 802**"],
    ["address", "Sunset Drive, CO 80279", "CO 802**"],
    ["address", "somewhere", "****"],
  ] as const)("%s %j → %s", (name, value, masked) => {
    expect(maskValue(name, value)).toBe(masked);
  });

  it("is one text for an address object, and nothing for any other object", () => {
    const denver = { address1: "986 Sunset Drive", address2: "Suite 259", city: "Denver", state: "CO", zip: "80279", country: "USA" };
    expect(maskValue("address", denver)).toBe("Denver, CO 802**");
    expect(maskValue("address", { state: "浙江省", city: "杭州市", address1: "西湖区文三路1号" })).toBe("浙江省杭州市西湖区****");
    expect(maskValue("address", { address1: "1 High St", city: "London", zip: "SW1A 1AA", country: "UK" })).toBe("London, ****, UK");
    expect(maskValue("address", { address1: "5 Elm", city: "5 Elm", state: "12 Oak Road" })).toBe("****");
    expect(maskValue("address", { ...denver, phone: "13800138000" })).toBeNull();
    expect(maskValue("address", { ...denver, zip: 80279 })).toBeNull();
    expect(maskValue("phone", { value: "13800138000", raw: "13800138000" })).toBeNull();
  });

  it("is nothing where the value is a number, a boolean or a list", () => {
    for (const name of guarded) {
      for (const value of [13800001234, new NumberText("13800001234.0"), true, ["138", "0000", "1234"], []])
        expect(maskValue(name, value)).toBeNull();
      expect(maskValue(name, null)).toBeNull();
    }
  });

  it("is nothing for free text until it can be redacted", () => {
    expect(maskValue("free_text", "打 13812345678 找林黛玉")).toBeNull();
    expect(dataClasses.free_text.reveal()).toBeNull();
  });
});

describe("a plain value", () => {
  it("passes as it is, and a list of such values too", () => {
    const amount = parseJson('{"amount":47.840}') as { amount: Json };
    for (const value of ["paid", 3, true, null, amount.amount, [1, "a", null]]) expect(maskValue("plain", value)).toBe(value);
  });

  it("is nothing where an object stands", () => {
    expect(maskValue("plain", { a: 1 })).toBeNull();
    expect(maskValue("plain", [{ a: 1 }])).toBeNull();
    expect(maskValue("plain", [[1]])).toBeNull();
  });
});

const han = fc.string({ unit: fc.constantFrom(..."林欧阳司马娜王𠮷小区海淀北京市路一三八0"), minLength: 1, maxLength: 30 });
const realistic = fc.oneof(
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
);

describe("every mask, of whatever text", () => {
  const law = (check: (name: (typeof guarded)[number], text: string, masked: string | null) => void) =>
    fc.assert(
      fc.property(fc.constantFrom(...guarded), realistic, (name, text) => {
        const masked = maskValue(name, text);
        expect(masked === null || typeof masked === "string").toBe(true);
        check(name, text, typeof masked === "string" ? masked : null);
      }),
      { numRuns: 3000 },
    );

  it("never gives a clear value back", () => {
    law((_name, text, masked) => expect(masked === text && !text.includes("*")).toBe(false));
  });

  it("always hides something, behind stars", () => {
    law((_name, _text, masked) => expect(masked === null || masked.includes("*")).toBe(true));
  });

  it("shows no more when the masked value is masked again", () => {
    law((name, _text, masked) => {
      if (masked === null) return;
      const again = String(maskValue(name, masked));
      for (const character of new Set(again.replaceAll("*", "")))
        expect(count(again, character)).toBeLessThanOrEqual(count(masked, character));
    });
  });

  it("shows only characters of the value, never half of one, and nothing invisible", () => {
    law((name, text, masked) => {
      if (masked === null) return;
      expect(masked.isWellFormed()).toBe(true);
      expect(masked).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      // A phone is shown in the digits it was read as, and under the country code it was read with.
      if (name === "phone") return;
      const known = text.normalize("NFKC") + text.toUpperCase();
      for (const character of masked.replaceAll(/[*, ]/g, "")) expect(known).toContain(character);
    });
  });

  it("gives the same mask each time, and to every spelling of one mobile", () => {
    law((name, text, masked) => expect(maskValue(name, text)).toBe(masked));
    fc.assert(
      fc.property(fc.stringMatching(/^1[3-9][0-9]{9}$/), fc.constantFrom(...spellings), (mobile, spell) => {
        expect(maskValue("phone", spell(mobile))).toBe(maskValue("phone", mobile));
        expect(normalize("phone", spell(mobile))).toBe(`+86${mobile}`);
      }),
    );
  });

  it("counts no characters: length follows from what is shown", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."林黛玉王熙凤"), minLength: 2, maxLength: 15 }), (name) => {
        expect(String(maskValue("person_name", name))).toHaveLength(3);
      }),
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

describe("a value as the blind index knows it", () => {
  it.each([
    ["phone", "+44 20 7946 1234", "+442079461234"],
    ["phone", "010-62345678", "+861062345678"],
    ["phone", "13212345774-1234", "+8613212345774;ext=1234"],
    ["phone", "房间 １２３", "123"],
    ["phone", "none", null],
    ["email", " Lin.Da@126.COM ", "lin.da@126.com"],
    ["email", "lin艾特126.com", "lin@126.com"],
    ["person_name", " Ｄaniel ", "daniel"],
    ["payment_card", "6222-0212 3456 2631", "6222021234562631"],
    ["plain", "SF1234", "sf1234"],
    ["plain", "  ", null],
    ["plain", 1234, null],
  ] as const)("%s %j → %j", (name, value, expected) => {
    expect(normalize(name, value)).toBe(expected);
  });
});

describe("hostile text", () => {
  it("is masked in linear time", () => {
    const texts = [
      "1-".repeat(500_000),
      "浙江省".repeat(100_000),
      `${"a".repeat(200_000)}@`,
      "a.".repeat(100_000),
      "x, ".repeat(100_000),
      "(".repeat(64),
      "1 ".repeat(32),
    ];
    const start = performance.now();
    for (const name of guarded) for (const text of texts) expect(String(maskValue(name, text))).not.toContain("浙江省浙江省浙江省");
    for (const name of classNames) for (const text of texts) normalize(name, text);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
