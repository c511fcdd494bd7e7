/** Rules that never decide: what stands before them holds wherever they do, or a contract has no purpose for them. */
import type { DataClass } from "../masking/index.ts";
import type { ContractDocument } from "./contract-document.ts";
import type { PolicyDocument } from "./policy-document.ts";
import type { Problem } from "./problem.ts";
import { needs } from "./purposes.ts";
import type { Alternative } from "./rule.ts";
import { didYouMean } from "./shape.ts";
import { describeGrant } from "./treatments.ts";

/** Warnings at rules as they are written; what a role has from another is the other's. */
export function unreachable({ source, written }: PolicyDocument): Problem[] {
  return Object.values(written).flatMap(({ rules }) =>
    rulesOf(rules).flatMap(({ name, rule }) =>
      rule.flatMap((alternative, index): Problem[] =>
        isCovered(alternative, rule.slice(0, index))
          ? [
              warning(
                source.file,
                name,
                alternative,
                ": what stands before it holds wherever it does",
                "take it out, or ask for something else",
              ),
            ]
          : [],
      ),
    ),
  );
}

/** Warnings at rules that are for purposes alone of which the contract has none, or none that needs the class. */
export function unreachableUnder({ source, written, resources }: PolicyDocument, contract: ContractDocument): Problem[] {
  const known = Object.keys(contract.purposes);
  return Object.entries(written).flatMap(([role, { rules }]) => {
    if (!contract.roles.some((named) => chainOf(written, named).includes(role))) return [];
    return rulesOf(rules).flatMap(({ type, path, name, rule }) =>
      rule.flatMap((alternative): Problem[] => {
        const { purposes } = alternative;
        if (purposes === undefined) return [];
        const [first = ""] = purposes;
        const ours = purposes.filter((purpose) => known.includes(purpose));
        const why = ` under ${contract.source.file}: the contract has no purpose ${purposes.join(", ")}`;
        if (ours.length === 0) return [warning(source.file, name, alternative, why, didYouMean(first, known))];
        const classes = classesOf(resources[type], path);
        if (classes === null || ours.some((purpose) => needs(contract.purposes[purpose] ?? {}, ...classes))) return [];
        const unneeded = ` under ${contract.source.file}: ${ours.join(", ")} does not need class ${classes[0]}`;
        return [warning(source.file, name, alternative, unneeded, "name the class in the contract's purpose, or take the rule out")];
      }),
    );
  });
}

function classesOf(resource: PolicyDocument["resources"][string] | undefined, path: string): [DataClass, DataClass[]] | null {
  const field = resource?.fields[path];
  return field ? [field.class, field.derive?.from.flatMap((source) => resource?.fields[source]?.class ?? []) ?? []] : null;
}

/** The role and what it extends. */
function chainOf(written: PolicyDocument["written"], role: string): string[] {
  const parent = written[role]?.extends;
  return parent === undefined ? [role] : [role, ...chainOf(written, parent)];
}

function rulesOf(rules: PolicyDocument["roles"][string]) {
  return Object.entries(rules).flatMap(([type, { fields }]) =>
    Object.entries(fields).map(([path, rule]) => ({ type, path, name: `${type}.${path}`, rule })),
  );
}

function isCovered({ purposes, when }: Alternative, before: readonly Alternative[]): boolean {
  const same = before.filter((other) => other.when === undefined || other.when.text === when?.text);
  if (same.some((other) => other.purposes === undefined)) return true;
  return purposes?.every((purpose) => same.some((other) => other.purposes?.includes(purpose))) === true;
}

function warning(file: string, name: string, { grant, line, column }: Alternative, why: string, hint: string | undefined): Problem {
  const message = `${name} → ${describeGrant(grant)} is never reached${why}`;
  return { file, line, column, code: "unreachable_rule", message, ...(hint !== undefined && { hint }) };
}
