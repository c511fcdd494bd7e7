/**
 * Masks: what each class may show, and what no mask ever shows.
 */
import { describe, expect, it } from "vitest";
import { type Json, NumberText, parseJson, printJson } from "../src/kernel/index.ts";
import { classMasks, classNames, maskValue, normalize } from "../src/masking/index.ts";

const today = "2026-11-22";
const labels = new Set(["sensitive", "health", "religion", "biometrics", "id_photo", "precise_location", "minor"]);
const guarded = classNames.filter((name) => name !== "plain" && !labels.has(name));

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
    ["phone", "400-618-9999", "+86 ****9999"],
    ["phone", "571 8765 4321", "0571****21"],
    ["phone", "499 8765 4321", "****"],
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
    ["passport", "E12345689", "E*****89"],
    ["passport", "h 1234 5678", "H*****78"],
    ["passport", "PASSPORT", "********"],
    ["iban", "DE89 3704 0044 0532 0130 00", "DE** **** 3000"],
    ["iban", "DE88 3704 0044 0532 0130 00", "**** ****"],
    ["nickname", "摩天轮", "摩**轮"],
    ["nickname", "摩天", "摩**"],
    ["nickname", "摩", "**"],
    ["nickname", "noah_brown_6181", "n**1"],
    ["nickname", "👨‍👩‍👧一家👍🏽", "👨‍👩‍👧**👍🏽"],
    ["nickname", "\u202e林中\u2066鹿", "林**鹿"],
    ["messenger_account", "wxid_k2f9q79", "w******9"],
    ["messenger_account", "13812345678", "138****5678"],
    ["messenger_account", "daniel@126.com", "d***@126.com"],
    ["messenger_account", "abc", "******"],
    ["messenger_account", "not an account", "******"],
    ["ip_address", "192.168.1.1", "192.*.*.*"],
    ["ip_address", "2001:0db8:86a3::7344", "2001:*:*:*:*:*:*:*"],
    ["ip_address", "::1", "*:*:*:*:*:*:*:*"],
    ["ip_address", "::ffff:10.0.0.1", "10.*.*.*"],
    ["ip_address", "[fe80::1%eth0]", "fe80:*:*:*:*:*:*:*"],
    ["ip_address", "256.1.1.1", "*.*.*.*"],
    ["ip_address", "2001:db8::1::2", "*.*.*.*"],
    ["plate", "浙A1255", "****"],
    ["plate", "浙A12·55T", "浙A**55T"],
    ["plate", "陕a12345d", "陕A**45D"],
    ["plate", "京A123", "****"],
    ["birth_date", "1990-05-06", "1990-**-**"],
    ["birth_date", "１９９０年5月6日", "1990-**-**"],
    ["birth_date", "19900506", "1990-**-**"],
    ["birth_date", "05/06/1990", "1990-**-**"],
    ["birth_date", "1990-02-30", "****"],
    ["birth_date", "2030-01-01", "****"],
    ["birth_date", "2012-11-23", "[敏感:未成年人]"],
    ["birth_date", "2012-11-22", "2012-**-**"],
    ["health", "糖尿病", "[敏感:健康]"],
    ["minor", "女儿五岁", "[敏感:未成年人]"],
    ["address", "北京市海淀区马连洼街道289号", "北京市海淀区****"],
    ["address", "中国浙江省杭州市西湖区文三路1号", "中国浙江省杭州市西湖区****"],
    ["address", "宁波市奉化市锦屏街道", "宁波市奉化市****"],
    ["address", "柯桥轻纺城东区11楼", "****"],
    ["address", "义乌国际商贸城5区97号门", "义乌****"],
    ["address", "杭州西湖路12号", "杭州****"],
    ["address", "内蒙古呼和浩特市赛罕区金河镇", "内蒙古呼和浩特市赛罕区****"],
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
    expect(maskValue(name, value, "cn-default", today)).toBe(masked);
  });

  it.each([
    ["phone", "13812345678", "138******78"],
    ["phone", "13212345774-1234", "132******74"],
    ["phone", "0571-87654321", "0571****"],
    ["phone", "+44 20 7946 1234", "+44 ****34"],
    ["person_name", "欧阳娜娜", "欧阳**"],
    ["person_name", "Daniel Webster", "D***"],
    ["nickname", "摩天轮", "摩**"],
    ["email", "daniel@126.com", "***@126.com"],
    ["address", "浙江省杭州市西湖区文三路", "浙江省杭州市****"],
    ["address", "986 Sunset Drive, Denver, CO 80279", "CO ****"],
    ["resident_id", "330106199001011234", "********"],
    ["passport", "E12345689", "********"],
    ["payment_card", "6222021234562631", "****"],
    ["iban", "DE89 3704 0044 0532 0130 00", "DE** ****"],
    ["messenger_account", "wxid_k2f9q79", "******"],
    ["messenger_account", "13812345678", "138******78"],
    ["ip_address", "192.168.1.1", "*.*.*.*"],
    ["ip_address", "2001:db8::1", "*:*:*:*:*:*:*:*"],
    ["plate", "浙A1255TT", "浙A****"],
    ["birth_date", "1990-05-06", "****"],
  ] as const)("is less under the profile strict: %s %j → %s", (name, value, masked) => {
    expect(maskValue(name, value, "strict", today)).toBe(masked);
  });

  it("shows no date of birth while nobody says what day it is", () => {
    expect([maskValue("birth_date", "1990-05-06"), classMasks.birth_date.reveal("1990-05-06")]).toEqual(["****", null]);
    expect(classMasks.birth_date.reveal("1990-05-06", today)).toBe("1990-05-06");
    expect(classMasks.birth_date.reveal("2020-05-06", today)).toBe("[敏感:未成年人]");
  });

  it("is nothing of a secret and of a business's own number, at any treatment for the one, at less than reveal for the other", () => {
    for (const value of ["123", 123, { cvv: "123" }]) {
      expect([maskValue("secret", value), classMasks.secret.reveal()]).toEqual([null, null]);
      expect(maskValue("business_id", value)).toBeNull();
    }
    const number = parseJson('{"id":2188082354079975123}') as { id: Json };
    expect(printJson({ id: classMasks.business_id.reveal(number.id) })).toBe('{"id":2188082354079975123}');
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

  it("names the class of a sensitive value, whatever it is", () => {
    for (const name of classNames.filter((known) => labels.has(known)))
      for (const value of ["x", 13800001234, true, { a: 1 }, ["138"]])
        expect(maskValue(name, value)).toMatch(/^\[敏感(?::[\u4e00-\u9fff]{2,5})?\]$/);
  });

  it("is nothing for free text until it can be redacted", () => {
    expect(maskValue("free_text", "打 13812345678 找林黛玉")).toBeNull();
    expect(classMasks.free_text.reveal()).toBeNull();
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
