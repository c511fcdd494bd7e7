/** Who a group has after a request, by the ids of its members. Pure. */
import { isJsonArray, type Json, ok } from "../kernel/index.ts";
import { attributesOf, type Operation } from "./patch.ts";
import { refuseAs, type Told } from "./told.ts";

export const membersMax = 1_000;

/** `displayName`: the group's, which nobody changes here. */
export interface Membership {
  readonly members: ReadonlySet<string>;
  readonly displayName: string;
}

export function applyToMembers({ members, displayName }: Membership, operations: readonly Operation[]): Told<ReadonlySet<string>> {
  let changed = members;
  for (const { op, path, value } of operations) {
    const { attribute, part, filter, isExtension } = path;
    if (isExtension || attribute === "externalid") continue;
    if (attribute === "displayname" && op !== "remove" && value === displayName) continue;
    if (attribute !== "members") return refuseOther(attribute);
    if (part !== null) return refuseAs("invalidPath", "Members are added and removed whole");
    const next = filter === null ? changeAll(changed, op, value) : changeOne(changed, op, filter);
    if (!next.ok) return next;
    changed = next.value;
  }
  return ok(changed);
}

/** Of a resource's or an operation's `members`. */
export function idsOf(value: Json | undefined): Told<ReadonlySet<string>> {
  if (value === undefined || value === null) return ok(new Set());
  const listed = isJsonArray(value) ? value : [value];
  if (listed.length > membersMax) return refuseAs("tooMany", `At most ${membersMax} members at once`);
  const ids = new Set<string>();
  for (const member of listed) {
    const attributes = attributesOf(member);
    const id = attributes.ok ? attributes.value.get("value") : undefined;
    if (typeof id !== "string") return refuseAs("invalidValue", "A member is an object with a value");
    ids.add(id);
  }
  return ok(ids);
}

export function without(members: ReadonlySet<string>, gone: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...members].filter((member) => !gone.has(member)));
}

function changeAll(members: ReadonlySet<string>, op: Operation["op"], value: Json | undefined): Told<ReadonlySet<string>> {
  if (op === "remove" && value === undefined) return ok(new Set());
  const named = idsOf(value);
  if (!named.ok) return named;
  if (op === "replace") return named;
  return ok(op === "add" ? new Set([...members, ...named.value]) : without(members, named.value));
}

function changeOne(
  members: ReadonlySet<string>,
  op: Operation["op"],
  filter: { attribute: string; value: string | boolean },
): Told<ReadonlySet<string>> {
  if (filter.attribute !== "value") return refuseAs("invalidFilter", "Members are found by their value");
  if (op === "remove") return ok(without(members, new Set([String(filter.value)])));
  return members.has(String(filter.value))
    ? refuseAs("mutability", "A member is not changed")
    : refuseAs("noTarget", "The group has no such member");
}

function refuseOther(attribute: string): Told<never> {
  if (["displayname", "id", "meta", "schemas"].includes(attribute)) return refuseAs("mutability", `${attribute} is the contract's`);
  return refuseAs("invalidPath", "A group has no such attribute");
}
