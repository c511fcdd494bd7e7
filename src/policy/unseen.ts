/** Fields that are stored and that no role of the policy has any use for: no rule shows them, no search finds by them, nothing is made of them, no condition reads them. */
import { isStored } from "../masking/index.ts";
import type { PolicyDocument } from "./policy-document.ts";
import type { Problem } from "./problem.ts";

export function unseen({ source, resources, roles }: PolicyDocument): Problem[] {
  // Who may see nothing at all was meant to.
  if (Object.keys(roles).length === 0) return [];
  return Object.entries(resources).flatMap(([type, { fields }]) => {
    const ofType = Object.values(roles).flatMap((rules) => rules[type] ?? []);
    const seen = (path: string) => ofType.some((rules) => rules.fields[path]?.some(({ grant }) => grant.treatment !== "withhold"));
    const made = new Set(Object.entries(fields).flatMap(([path, { derive }]) => (derive && seen(path) ? derive.from : [])));
    const conditions = ofType.flatMap(({ rows, fields: rules }) => [
      rows?.when.text ?? "",
      ...Object.values(rules).flatMap((rule) => rule.map(({ when }) => when?.text ?? "")),
    ]);
    return Object.entries(fields).flatMap(([path, field]): Problem[] => {
      const isRead = field.class === "plain" && conditions.some((text) => reads(text, path));
      if (seen(path) || field.search || made.has(path) || isRead || (!isStored(field.class) && field.derive === undefined)) return [];
      const hint = "let a role see it, or take it out: what no policy names is not stored";
      return [source.problem(["resources", type, "fields", path], "unseen_field", `no role sees ${type}.${path}`, hint)];
    });
  });
}

/** By the first key of the path: rather one warning too few. */
function reads(condition: string, path: string): boolean {
  const [key = ""] = path.split(/[.[{$]/);
  return new RegExp(`\\brecord\\.${key}\\b`).test(condition);
}
