/**
 * Of a directory's user what is kept: userName, externalId, one name for lists, and whether they are active. What else RFC 7643 and other schemas have is
 * taken and not stored; what no schema has is refused, because a misspelt `active` must not pass for one that was obeyed. Pure.
 */
import { faultOfSubject, startsFormula, visible } from "../contracts/index.ts";
import { isJsonObject, type Json, ok } from "../kernel/index.ts";
import type { Attributes, Operation } from "./patch.ts";
import { attributesOf } from "./patch.ts";
import type { UserFields } from "./postgres-users.ts";
import { refuseAs, type Told } from "./told.ts";

const textMax = 255;
const nameMax = 128;

/** RFC 7643 §4.1, in lower case: taken, and not stored. */
const unkept: ReadonlySet<string> = new Set([
  ...[
    "nickname",
    "profileurl",
    "title",
    "usertype",
    "preferredlanguage",
    "locale",
    "timezone",
    "password",
    "emails",
    "phonenumbers",
    "ims",
  ],
  ...["photos", "addresses", "entitlements", "roles", "x509certificates"],
]);

/** Fields that a POST or PUT gives; `active` is what it was where the request does not say it, so that a PUT lets nobody in again by silence. */
export function fieldsOfResource(attributes: Attributes, { active }: Pick<UserFields, "active">): Told<UserFields> {
  const login = textOf("userName", attributes.get("username"));
  if (!login.ok) return login;
  const external = attributes.get("externalid") ?? null;
  const externalId = external === null ? ok(null) : textOf("externalId", external);
  if (!externalId.ok) return externalId;
  const name = nameOf(attributes, login.value);
  if (!name.ok) return name;
  const standing = attributes.has("active") ? truthOf(attributes.get("active")) : ok(active);
  return standing.ok ? ok({ login: login.value, externalId: externalId.value, name: name.value, active: standing.value }) : standing;
}

export function applyToFields(fields: UserFields, operations: readonly Operation[]): Told<UserFields> {
  const saysName = operations.some(({ path }) => path.attribute === "displayname");
  let changed = fields;
  for (const operation of operations) {
    const { attribute, part, isExtension } = operation.path;
    if (isExtension || unkept.has(attribute)) continue;
    if (attribute === "name" && (saysName || (part !== null && part !== "formatted"))) continue;
    const next = applyOne(changed, operation);
    if (!next.ok) return next;
    changed = next.value;
  }
  return ok(changed);
}

function applyOne(fields: UserFields, { op, path, value }: Operation): Told<UserFields> {
  const { attribute, part, filter } = path;
  const given = op === "remove" ? undefined : value;
  if (filter !== null || (part !== null && attribute !== "name")) return refuseAs("invalidPath", `${attribute} has no parts`);
  switch (attribute) {
    case "active": {
      const active = truthOf(given);
      return active.ok ? ok({ ...fields, active: active.value }) : active;
    }
    case "username": {
      const login = textOf("userName", given);
      return login.ok ? ok({ ...fields, login: login.value }) : login;
    }
    case "externalid": {
      if (given === undefined || given === null) return ok({ ...fields, externalId: null });
      const externalId = textOf("externalId", given);
      return externalId.ok ? ok({ ...fields, externalId: externalId.value }) : externalId;
    }
    case "displayname":
      return named(fields, given);
    case "name":
      return part === "formatted" ? named(fields, given) : namedByParts(fields, given);
    case "id":
    case "meta":
    case "schemas":
    case "groups":
      return refuseAs("mutability", `${attribute} is not changed here`);
    default:
      return refuseAs("invalidPath", "A user has no such attribute");
  }
}

function named(fields: UserFields, given: Json | undefined): Told<UserFields> {
  if (given === undefined || given === null) return ok({ ...fields, name: shortened(fields.login) });
  const name = nameText("displayName", given);
  return name.ok ? ok({ ...fields, name: name.value }) : name;
}

function namedByParts(fields: UserFields, given: Json | undefined): Told<UserFields> {
  const name = nameOf(new Map([["name", given ?? null]]), fields.login);
  return name.ok ? ok({ ...fields, name: name.value }) : name;
}

/** displayName, or the name's formatted form, or its parts, or the login. */
function nameOf(attributes: Attributes, login: string): Told<string> {
  const display = attributes.get("displayname") ?? null;
  if (display !== null && display !== "") return nameText("displayName", display);
  const name = attributes.get("name") ?? null;
  if (name === null) return ok(shortened(login));
  const parts = attributesOf(name);
  if (!parts.ok) return refuseAs("invalidValue", "name is an object");
  const text = (key: string) => {
    const value = parts.value.get(key);
    return typeof value === "string" ? value : "";
  };
  const whole = text("formatted") || [text("givenname"), text("familyname")].filter((part) => part !== "").join(" ");
  return whole === "" ? ok(shortened(login)) : nameText("name", whole);
}

function nameText(attribute: string, value: Json): Told<string> {
  const isName = typeof value === "string" && value !== "" && value.length <= nameMax && visible.test(value) && !startsFormula(value);
  return isName
    ? ok(value)
    : refuseAs("invalidValue", `${attribute} is a text of 1 to ${nameMax} visible characters that no spreadsheet would run`);
}

function shortened(login: string): string {
  return login.slice(0, nameMax);
}

function textOf(attribute: string, value: Json | undefined): Told<string> {
  if (typeof value !== "string" || value === "" || value.length > textMax || !visible.test(value))
    return refuseAs("invalidValue", `${attribute} is a text of 1 to ${textMax} visible characters`);
  const fault = faultOfSubject(value);
  if (fault === "mixed_alphabets") return refuseAs("invalidValue", `${attribute} mixes alphabets in a word`);
  return fault === "formula" ? refuseAs("invalidValue", `${attribute} begins as a spreadsheet's formula does`) : ok(value);
}

/** Entra ID sends it as a text. */
function truthOf(value: Json | undefined): Told<boolean> {
  if (typeof value === "boolean") return ok(value);
  const said = typeof value === "string" ? value.toLowerCase() : isJsonObject(value ?? null) ? null : value;
  if (said === "true" || said === "false") return ok(said === "true");
  return refuseAs("invalidValue", "active is true or false");
}
