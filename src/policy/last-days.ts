/**
 * The policy of a contract's last days: no value in the clear that says something of a person, and none on request. What a role may see falls to its mask.
 * Nothing is written. A bundle from a bundle: whoever decides by it decides as always, and its conditions keep their texts and their order.
 */
import type { Bundle, Resource, Rule } from "./bundle.ts";
import { isPersonal } from "./purposes.ts";

const made = new WeakMap<Bundle, Bundle>();

export function lastDaysOf(bundle: Bundle): Bundle {
  const known = made.get(bundle);
  if (known) return known;
  const roles = mapValues(bundle.roles, (types) =>
    mapValues(types, ({ writes: _, ...type }, name) => ({
      ...type,
      fields: mapValues(type.fields, (rules, path) => rules.map((rule) => lowered(rule, bundle.resources[name]?.fields[path]?.class))),
    })),
  );
  const lastDays = { ...bundle, roles };
  made.set(bundle, lastDays);
  return lastDays;
}

/** An answer is coarse already. */
function lowered(rule: Rule, name: Resource["fields"][string]["class"] | undefined): Rule {
  if (name === undefined || name === "derived" || !isPersonal(name)) return rule;
  const { reveal, ...rest } = rule;
  if (rule.treatment !== "reveal") return reveal === undefined ? rule : rest;
  return { ...rest, treatment: "mask", why: "the contract's last days: nothing in the clear" };
}

function mapValues<Value, Mapped>(of: Readonly<Record<string, Value>>, map: (value: Value, key: string) => Mapped): Record<string, Mapped> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, map(value, key)]));
}
