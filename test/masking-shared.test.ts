/**
 * Masks over other people's data: nothing that its labels call secret is shown.
 */
import { describe, expect, it } from "vitest";
import type { Json } from "../src/kernel/index.ts";
import { hutoolMasks, maskValue } from "../src/masking/index.ts";
import { cardsPhonesAndMails, chineseAddresses, hutoolVectors, idVectors, usAddresses } from "./support/masking-data.ts";
import { hasShared, readShared } from "./support/shared.ts";

const visible = "data/visible";
const retail = `${visible}/structured/retail_users.json`;

interface RetailUser {
  readonly name: { readonly first_name: string; readonly last_name: string };
  readonly email: string;
  readonly address: {
    readonly address1: string;
    readonly address2: string;
    readonly city: string;
    readonly zip: string;
    readonly [part: string]: Json;
  };
}

const share = ({ of, held }: { of: number; held: number }) => held / of;

describe.skipIf(!hasShared(`${visible}/mask_vectors_hutool.json`))("the profile hutool", () => {
  it("gives hutool's outputs but for the three that are their input", () => {
    const [result] = hutoolVectors();
    expect([result?.held, result?.of]).toEqual([39, 42]);
    expect(result?.misses).toEqual([
      "address(北京市海淀区马连洼街道289号, 0) = 北京市海淀区马连洼街道289号",
      "address(北京市海淀区马连洼街道289号, -1) = 北京市海淀区马连洼街道289号",
      "carLicense(京A123) = 京A123",
    ]);
    expect([hutoolMasks.ADDRESS("北京市海淀区", 0), hutoolMasks.ADDRESS("北京市海淀区", -1), hutoolMasks.CAR_LICENSE("京A123")]).toEqual([
      "******",
      "******",
      "****",
    ]);
  });
});

describe.skipIf(!hasShared(`${visible}/id_vectors_presidio.jsonl`))("ID vectors, valid and invalid", () => {
  it("are told apart by the classes that claim it", () => {
    for (const result of idVectors()) expect(share(result), `${result.set}: ${result.misses.join(", ")}`).toBeGreaterThanOrEqual(0.95);
    expect(idVectors().length).toBeGreaterThan(1);
  });
});

describe.skipIf(!hasShared(`${visible}/zh_address_parts.jsonl`))("Chinese addresses with labelled parts", () => {
  it("keep their divisions, and nothing below the district", () => {
    const [kept, secret] = chineseAddresses();
    expect(kept && share(kept)).toBeGreaterThanOrEqual(0.95);
    expect(secret && share(secret), secret?.misses.join(", ")).toBeGreaterThanOrEqual(0.999);
  });
});

describe.skipIf(!hasShared(`${visible}/en_address_parts.jsonl`))("US addresses with labelled parts", () => {
  it("keep no street", () => {
    const [street, city] = usAddresses();
    expect(street?.misses).toEqual([]);
    expect(city && share(city)).toBeGreaterThanOrEqual(0.6);
  });
});

describe.skipIf(!hasShared(`${visible}/structured/aw_CreditCard.csv`))("cards, phones and mails of a sample database", () => {
  it("show what their class shows, whether or not they pass a checksum", () => {
    for (const { set, misses, of } of cardsPhonesAndMails()) {
      expect(misses.slice(0, 5), set).toEqual([]);
      expect(of, set).toBeGreaterThan(10_000);
    }
  });
});

describe.skipIf(!hasShared(retail))("a retail shop's users", () => {
  it("show city, state and ZIP3, initials, and the mail's first character", () => {
    const users: RetailUser[] = Object.values(JSON.parse(readShared(retail)));
    for (const { name, email, address } of users) {
      const masked = maskValue("address", address);
      expect(masked).toBe(`${address.city}, ${String(address.state)} ${address.zip.slice(0, 3)}**`);
      for (const part of [address.address1, address.address2, address.zip]) expect(masked).not.toContain(part);
      expect(maskValue("person_name", name.first_name)).toBe(`${name.first_name.slice(0, 1)}***`);
      expect(maskValue("person_name", { ...name })).toBeNull();
      expect(maskValue("email", email)).toBe(`${email.slice(0, 1)}***@example.com`);
    }
  });
});
