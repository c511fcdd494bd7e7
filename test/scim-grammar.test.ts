/** What is taken of SCIM's filters, paths and bodies, and that everything else is refused by its name: nothing is half understood. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, parseJson } from "../src/kernel/index.ts";
import { parseFilter, parsePath } from "../src/scim/filter.ts";
import { applyToMembers } from "../src/scim/group-members.ts";
import { readPatch, readResource } from "../src/scim/patch.ts";
import { userSchema } from "../src/scim/told.ts";
import { applyToFields, fieldsOfResource } from "../src/scim/user-fields.ts";
import { root } from "./support/repository.ts";

const attribute = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/);
const fields = { login: "a@b.example", externalId: "a", name: "A", active: true };

describe("a filter", () => {
  it("is read as it was written, whatever stands in the literal, in whatever case", () => {
    fc.assert(
      fc.property(attribute, fc.string({ unit: "binary", maxLength: 60 }), fc.constantFrom("eq", "EQ", "Eq"), (name, value, eq) => {
        expect(parseFilter(`${name} ${eq} ${JSON.stringify(value)}`)).toEqual({
          ok: true,
          value: { attribute: name.toLowerCase(), value },
        });
        const inPath = parsePath(`${name}[value ${eq} ${JSON.stringify(value)}]`);
        expect(inPath).toMatchObject({ ok: true, value: { attribute: name.toLowerCase(), filter: { attribute: "value", value } } });
      }),
    );
  });

  it("is one comparison and no more: another behind it is no part of the literal", () => {
    fc.assert(
      fc.property(attribute, fc.string(), fc.constantFrom(" and ", " or ", " ", '"', ")", "]"), (name, value, more) => {
        const literal = JSON.stringify(value);
        const two = parseFilter(`${name} eq ${literal}${more}${name} eq ${literal}`);
        expect(two).toMatchObject({ ok: false, refusal: { status: 400, scimType: "invalidFilter" } });
      }),
    );
  });

  it("refuses or reads any text at all, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (text) => {
        for (const read of [parseFilter(text), parsePath(text)]) expect(read.ok || read.refusal.status === 400).toBe(true);
      }),
    );
    const long = `urn:${":".repeat(900)}`;
    expect([parsePath(long).ok, parseFilter(`${long} eq "`).ok]).toEqual([false, false]);
  });

  it("knows the core schema's own URN, and other schemas by theirs", () => {
    expect(parseFilter(`${userSchema}:userName eq "a"`)).toMatchObject({ value: { attribute: "username" } });
    expect(parsePath(`${userSchema}:active`)).toMatchObject({ value: { attribute: "active", isExtension: false } });
    expect(parsePath(userSchema)).toMatchObject({ value: { isExtension: false } });
    expect(parsePath("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager")).toMatchObject({ value: { isExtension: true } });
  });
});

describe("an operation", () => {
  const patch = (...Operations: Json[]) => readPatch({ schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations });
  const changed = (...operations: Json[]) => {
    const read = patch(...operations);
    return read.ok ? applyToFields(fields, read.value) : read;
  };

  it("says who is active in every spelling that directories have, and in no other", () => {
    for (const value of [false, "False", "false", "FALSE"]) {
      const forms = [
        { op: "Replace", path: "active", value },
        { op: "add", path: "Active", value },
        { op: "replace", value: { active: value } },
        { op: "replace", path: `${userSchema}:active`, value },
      ];
      for (const form of forms) expect(changed(form)).toMatchObject({ ok: true, value: { active: false } });
    }
    for (const value of ["no", 0, null, [false], { value: false }, ""])
      expect(changed({ op: "replace", path: "active", value })).toMatchObject({ ok: false, refusal: { scimType: "invalidValue" } });
  });

  it("that speaks of what nobody has is refused, so that a misspelt `active` is not taken for one", () => {
    for (const path of ["activ", "isActive", "active.value", 'active[value eq "x"]', userSchema])
      expect(changed({ op: "replace", path, value: false })).toMatchObject({ ok: false, refusal: { scimType: "invalidPath" } });
    expect(changed({ op: "replace", value: { active: false, Active: true } }).ok).toBe(false);
  });

  it("leaves members a set, whatever operations came", () => {
    const ids = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"));
    const kinds = fc.constantFrom("add", "remove", "replace", "Add", "Remove");
    fc.assert(
      fc.property(ids, fc.array(fc.tuple(kinds, ids), { minLength: 1, maxLength: 6 }), (first, operations) => {
        let model = new Set(first);
        for (const [op, listed] of operations) {
          if (op === "replace") model = new Set(listed);
          else for (const id of listed) op.toLowerCase() === "add" ? model.add(id) : model.delete(id);
        }
        const read = patch(...operations.map(([op, listed]) => ({ op, path: "members", value: listed.map((value) => ({ value })) })));
        const told = read.ok ? applyToMembers({ members: new Set(first), displayName: "c/r" }, read.value) : read;
        expect(told.ok && [...told.value].sort()).toEqual([...model].sort());
      }),
    );
  });
});

const samples = join(root, "../shared/apis/scim");
const sampleOf = (name: string) => parseJson(readFileSync(join(samples, `${name}.json`), "utf8"));
const names = existsSync(samples) ? readdirSync(samples).map((name) => name.replace(/\.json$/, "")) : [];

describe.skipIf(names.length === 0)("the samples of RFC 7643 and 7644", () => {
  const users = names.filter(
    (name) => /user-(minimal|full|post_request|put_request)|enterprise_user$/.test(name) && !/schema|bulk/.test(name),
  );
  it.each(users)("%s is taken as a person", (name) => {
    const attributes = readResource(sampleOf(name), userSchema);
    expect(attributes.ok && fieldsOfResource(attributes.value, fields)).toMatchObject({ ok: true, value: { login: expect.any(String) } });
  });

  const patches = names.filter((name) => name.includes("patch_op"));
  it.each(patches)("%s is obeyed, or refused by its name", (name) => {
    const read = readPatch(sampleOf(name));
    if (!read.ok)
      return expect([name, read.refusal.scimType]).toEqual(["rfc7644-3.5.2.2-patch_op-remove_multi_complex_value", "invalidFilter"]);
    const told = name.includes("member")
      ? applyToMembers({ members: new Set(["x"]), displayName: "c/r" }, read.value)
      : applyToFields(fields, read.value);
    expect(told.ok).toBe(true);
  });

  it("remove and add the members that they name", () => {
    const apply = (name: string) => {
      const sample = `rfc7644-3.5.2.${name}`;
      const named = /eq ?\\"([^"\\]+)/.exec(readFileSync(join(samples, `${sample}.json`), "utf8"))?.[1] ?? "y";
      const read = readPatch(sampleOf(sample));
      const told = read.ok ? applyToMembers({ members: new Set(["x", named]), displayName: "c/r" }, read.value) : read;
      return told.ok ? [told.value.size, told.value.has(named)] : told.refusal;
    };
    expect(apply("1-patch_op-add_members")).toEqual([3, true]);
    expect(apply("2-patch_op-remove_all_members")).toEqual([0, false]);
    expect(apply("2-patch_op-remove_one_member")).toEqual([1, false]);
    expect(apply("2-patch_op-remove_and_add_one_member")).toEqual([2, false]);
    expect(apply("3-patch_op-replace_all_members")).toEqual([2, false]);
  });
});
