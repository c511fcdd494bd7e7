/**
 * Masks over other people's data: nothing that its labels call secret is shown.
 */
import { describe, expect, it } from "vitest";
import type { Json } from "../src/kernel/index.ts";
import { maskValue } from "../src/masking/index.ts";
import { hasShared, readShared } from "./support/shared.ts";

const chinese = "data/visible/zh_address_parts.jsonl";
const retail = "data/visible/structured/retail_users.json";

interface LabelledAddress {
  readonly text: string;
  readonly keep_prefix: string;
  readonly secret_parts: readonly string[];
}

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

describe.skipIf(!hasShared(chinese))("Chinese addresses with labelled parts", () => {
  const addresses = (): LabelledAddress[] =>
    readShared(chinese)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));

  it("are never shown below the district", () => {
    const leaks = addresses().filter(({ text, secret_parts }) => {
      const shown = String(maskValue("address", text)).replace("****", "");
      // A secret part may begin like the city that is shown: 湖州市南路.
      return secret_parts.some((part) => part.length > 1 && shown.includes(part) && !text.startsWith(shown));
    });
    expect(leaks).toEqual([]);
  });

  it("keep their district in most cases", () => {
    const all = addresses();
    const kept = all.filter(({ text, keep_prefix }) => maskValue("address", text) === `${keep_prefix}****`);
    expect(kept.length / all.length).toBeGreaterThan(0.85);
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
