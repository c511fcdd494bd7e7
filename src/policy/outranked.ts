/**
 * Roles that see more than others should find right:
 * - a role from which another extends sees more of a field than the one that extends it: whoever reads `extends` expects at least as much;
 * - a role that stands alone sees a value of the most sensitive level as it is, unasked, and one at the top of a ladder of `extends` does not.
 * By treatments alone: which records (`rows`) and when (`purposes`, `when`) are not compared.
 */
import { dataClasses } from "../masking/index.ts";
import type { PolicyDocument } from "./policy-document.ts";
import type { Problem } from "./problem.ts";
import { type Alternative, isAtMost } from "./rule.ts";
import { describeGrant } from "./treatments.ts";

export function outranked(policy: PolicyDocument): Problem[] {
  return [...extendedSeesMore(policy), ...outsiderSeesMore(policy)];
}

function extendedSeesMore({ source, roles, written }: PolicyDocument): Problem[] {
  return Object.entries(written).flatMap(([role, { extends: parent, rules }]) =>
    Object.entries(parent === undefined ? {} : rules).flatMap(([type, { fields }]) =>
      Object.entries(fields).flatMap(([path, own]): Problem[] => {
        const [upper, lower] = [role, parent ?? role].map((name) => roles[name]?.[type]?.fields[path] ?? []);
        const more = lower?.find((alternative) => !upper?.some((ours) => sees(ours, alternative)));
        const [place] = own;
        if (more === undefined || place === undefined) return [];
        const message = `${parent} sees ${type}.${path} → ${describeGrant(more.grant)} (line ${more.line}), and ${role}, which extends it, less`;
        const hint = `grant ${role} as much, or let it stand alone`;
        return [{ file: source.file, line: place.line, column: place.column, code: "sees_more", message, hint }];
      }),
    ),
  );
}

/** Two masks are of one rank, but for the strict one. */
function sees(ours: Alternative, theirs: Alternative): boolean {
  const areMasks = ours.grant.treatment === "mask" && theirs.grant.treatment === "mask";
  return isAtMost(ours, theirs) || (areMasks && ours.grant.profile !== "strict");
}

const mostSensitive = 3;

function outsiderSeesMore({ source, resources, roles, written }: PolicyDocument): Problem[] {
  const extended = new Set(Object.values(written).map(({ extends: parent }) => parent));
  const names = Object.keys(written).filter((role) => !extended.has(role));
  const [tops, outsiders] = [true, false].map((isTop) => names.filter((role) => (written[role]?.extends !== undefined) === isTop));
  return (outsiders ?? []).flatMap((outsider) =>
    Object.entries(roles[outsider] ?? {}).flatMap(([type, { fields }]) =>
      Object.entries(fields).flatMap(([path, rule]): Problem[] => {
        const clear = rule.find(isClear);
        const name = resources[type]?.fields[path]?.class;
        const top = (tops ?? []).find((role) => !roles[role]?.[type]?.fields[path]?.some(isClear));
        if (clear === undefined || top === undefined || name === undefined || dataClasses[name].level < mostSensitive) return [];
        const message = `${outsider} sees ${type}.${path} (${name}) as it is, and ${top}, which extends ${written[top]?.extends}, does not`;
        const hint = "mask it, or let it be asked for: { reveal: { quota: 20/day, reason: required } }";
        return [{ file: source.file, line: clear.line, column: clear.column, code: "sees_more", message, hint }];
      }),
    ),
  );
}

function isClear({ grant, metering }: Alternative): boolean {
  return grant.treatment === "reveal" && metering === undefined;
}
