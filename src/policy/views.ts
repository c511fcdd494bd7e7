/**
 * What a role's views say together: fields that stand beside each other in one answer, and all that it may see of one class anywhere — of every
 * resource, under every purpose and condition. In one answer a join is lowered when the plan is made; between two answers nothing lowers it.
 */
import { type DataClass, joinOf, piecedTogether, type Shown } from "../masking/index.ts";
import type { PolicyDocument } from "./policy-document.ts";
import type { Problem } from "./problem.ts";
import type { Alternative } from "./rule.ts";
import { describeGrant } from "./treatments.ts";

/** One way in which a role may see one field. */
interface View extends Shown {
  readonly type: string;
  readonly path: string;
  readonly rule: Alternative;
}

/** Warnings at the rule that says too much. */
export function viewJoins({ source, resources, roles }: PolicyDocument): Problem[] {
  return Object.entries(roles).flatMap(([role, rules]) => {
    const views = Object.entries(rules).flatMap(([type, { fields }]) =>
      Object.entries(fields).flatMap(([path, rule]) => viewsOf(resources[type]?.fields ?? {}, type, path, rule)),
    );
    const found = views.map((view) => ({ view, join: joinAt(view, views) }));
    const unlowered = found.map(({ view, join }) => (join?.isCertain === true ? { ...view, ...join.lowered } : view));
    const pieces = pieced(role, unlowered);
    const joined = found.flatMap(({ view, join }) => join?.problem ?? (pieces.has(view.class) ? [] : joinApart(role, view, views)));
    return [...joined, ...pieces.values()].map((warning) => ({ file: source.file, ...warning }));
  });
}

type Warning = Omit<Problem, "file">;
type Fields = PolicyDocument["resources"][string]["fields"];

function viewsOf(fields: Fields, type: string, path: string, rule: readonly Alternative[]): View[] {
  const field = fields[path];
  // Free text is withheld whatever is written.
  if (field === undefined || field.class === "free_text") return [];
  const from = field.derive?.from.map((source) => ({ path: source, class: fields[source]?.class ?? "plain" }));
  const derive = field.derive && from && { answer: field.derive.answer, from };
  return rule
    .filter(({ grant }) => grant.treatment !== "withhold")
    .map((alternative) => {
      const grant = alternative.metering === undefined ? alternative.grant : { treatment: "mask" as const };
      return { type, path, class: field.class, ...grant, ...(derive && { derive }), rule: alternative };
    });
}

interface JoinAt {
  readonly problem: Warning;
  readonly lowered: Pick<View, "treatment" | "profile">;
  /** The other is always there. */
  readonly isCertain: boolean;
}

/** Beside what else one answer may hold. */
function joinAt(view: View, views: readonly View[]): JoinAt | undefined {
  const beside = views.filter((other) => isBeside(view, other));
  const join = joinOf(view, beside);
  const other = beside.find((candidate) => joinOf(view, [candidate]) !== undefined);
  if (join === undefined || other === undefined) return undefined;
  const lowered = join.to === "withhold" ? { treatment: join.to } : { treatment: view.treatment, profile: join.to };
  const { purposes, when } = other.rule;
  return {
    lowered,
    isCertain: purposes === undefined && when === undefined,
    problem: {
      ...placeOf(view),
      code: "masks_join",
      message: `${say(view)} beside ${sayWithLine(other)}: ${join.why}; an answer with both lowers it to ${describeGrant(lowered)}`,
      hint: "write here what holds, or less of the other",
    },
  };
}

/** With what stands in another answer. */
function joinApart(role: string, view: View, views: readonly View[]): Warning[] {
  // What is compared stands in one record.
  const apart = views.filter((other) => other !== view && !isBeside(view, other)).map(({ path: _path, ...other }) => other);
  const place = apart.findIndex((other) => joinOf(view, [other]) !== undefined);
  const other = views.filter((candidate) => candidate !== view && !isBeside(view, candidate))[place];
  const join = other && joinOf(view, apart);
  if (other === undefined || join === undefined) return [];
  return [
    {
      ...placeOf(view),
      code: "views_join",
      message: `${role} sees ${say(view)} here and ${sayWithLine(other)} in another answer: ${join.why}; nothing lowers it there`,
      hint: "show less of one of them",
    },
  ];
}

/** By class: what the role's views of it show together, where that is more than any of them does. */
function pieced(role: string, views: readonly View[]): ReadonlyMap<DataClass, Warning> {
  const warnings = new Map<DataClass, Warning>();
  for (const [name, ofClass] of Map.groupBy(views, (view) => view.class)) {
    const distinct = ofClass.filter((view, index) => ofClass.findIndex((other) => describeGrant(other) === describeGrant(view)) === index);
    const picture = piecedTogether(name, distinct);
    const last = distinct.toSorted((a, b) => a.rule.line - b.rule.line || a.rule.column - b.rule.column).at(-1);
    if (picture === null || last === undefined) continue;
    const others = distinct.filter((view) => view !== last).map(sayWithLine);
    warnings.set(name, {
      ...placeOf(last),
      code: "views_join",
      message: `${role} sees ${say(last)} here and ${others.join(", ")} elsewhere: together more of a ${name} than any of them: ${picture}`,
      hint: "give them one profile",
    });
  }
  return warnings;
}

/** Of two fields of one resource, whether a purpose lets both leave at once. */
function isBeside(view: View, other: View): boolean {
  if (other.type !== view.type || other.path === view.path) return false;
  const [ours, theirs] = [view.rule.purposes, other.rule.purposes];
  return ours === undefined || theirs === undefined || ours.some((purpose) => theirs.includes(purpose));
}

function placeOf({ rule }: View): { line: number; column: number } {
  return { line: rule.line, column: rule.column };
}

function say({ type, path, ...grant }: View): string {
  return `${type}.${path} → ${describeGrant(grant)}`;
}

function sayWithLine(view: View): string {
  return `${say(view)} (line ${view.rule.line})`;
}
