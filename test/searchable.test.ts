/** What a stored record is found by is what was said of it when it came in, whatever its shape. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../src/kernel/index.ts";
import { mergeLevels, type Resource, searchableIn, searchLevels, sortFields } from "../src/policy/index.ts";

const phone = { class: "phone", search: true } as const;
const resource: Resource = {
  subject: { type: "customer", path: null },
  fields: {
    phone,
    order_no: { class: "plain", search: true },
    note: { class: "free_text", search: false },
    "items[].phone": phone,
    "items[].sku": { class: "plain", search: false },
    "tags[]": { class: "plain", search: true },
    "phones{}": phone,
    "payload$.contact.phone": phone,
    "payload$.lines[].code": { class: "plain", search: true },
    "drafts[]$.phone": phone,
    secret: { class: "secret", search: true },
  },
};

function openedOf(read: Resource, levels: readonly (JsonObject | undefined)[]): JsonObject[] {
  return searchLevels(read).flatMap((level) => {
    const part = levels[level];
    return part ? [part] : [];
  });
}

describe("a stored document", () => {
  it.each([
    ["plain members", { phone: "138 1234 5678", order_no: "A-1", note: "x" }],
    [
      "lists, with holes",
      { items: [{ sku: "a" }, { phone: "13812345678" }, {}, { phone: "13912345678", sku: "b" }], tags: ["VIP", null, "vip"] },
    ],
    ["maps, whose keys are data", { phones: { 张三: "13812345678", "13999999999": "13712345678" } }],
    ["JSON inside a text", { payload: '{"contact":{"phone":"13812345678"},"lines":[{"code":"x"},{"code":"y"}]}' }],
    ["JSON inside the texts of a list", { drafts: ['{"phone":"13812345678"}', "no json", '{"phone":"13612345678"}'] }],
    ["what no policy names, and secrets", { other: "13812345678", secret: "s", phone: { deep: "13812345678" } }],
    ["nothing", {}],
  ] satisfies [string, JsonObject][])("is found by what it came in with: %s", (_what, document) => {
    const { levels, searchable } = sortFields(resource, document);
    const opened = openedOf(resource, levels);
    expect(searchableIn(resource, mergeLevels(opened))).toEqual(expect.arrayContaining([...searchable]));
    expect(searchableIn(resource, mergeLevels(opened))).toHaveLength(searchable.length);
  });

  it("is found by what the policy of today says, wherever the value was sealed", () => {
    const before: Resource = { ...resource, fields: { code: { class: "plain", search: false } } };
    const today: Resource = { ...resource, fields: { code: { class: "phone", search: true, older: [0] } } };
    const { levels, searchable } = sortFields(before, { code: "138-1234-5678" });
    expect(searchable).toEqual([]);
    expect(searchLevels(today)).toEqual([0, 2]);
    expect(searchableIn(today, mergeLevels(openedOf(today, levels)))).toEqual([{ field: "code", value: "+8613812345678" }]);
  });
});
