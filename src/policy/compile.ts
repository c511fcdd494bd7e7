/**
 * policy ∩ contract → bundle: of each role that the contract names, each field of each resource gets the most that both allow, and the reason why.
 */
import { ok, type Result, refuse } from "../kernel/index.ts";
import type { DataClass } from "../masking/index.ts";
import type { Bundle, Resource, Rule } from "./bundle.ts";
import type { ContractDocument } from "./contract-document.ts";
import type { PolicyDocument } from "./policy-document.ts";
import type { TypeRules } from "./policy-roles.ts";
import type { FieldDocument, ResourceDocument } from "./policy-shape.ts";
import { isFull, type Problem } from "./problem.ts";
import type { Alternative } from "./rule.ts";
import type { SeatTerms } from "./seat-terms.ts";
import { didYouMean, quote } from "./shape.ts";
import { capGrant, describeGrant, type Grant, isSameGrant } from "./treatments.ts";
import type { WriteGrant } from "./writes.ts";

/** Fields of all resources, once for each role. */
const fieldsOfRolesMax = 50_000;

export function compile(policy: PolicyDocument, contract: ContractDocument): Result<Bundle, Problem[]> {
  const problems = [...roleProblems(policy, contract), ...retentionProblems(policy, contract), ...seatProblems(contract)];
  if (problems.length > 0) return refuse(problems);
  return ok({
    contract: contractOf(contract),
    policy: contract.policy,
    resources: mapValues(policy.resources, ({ subject, fields }) => ({ subject, fields: mapValues(fields, fieldOf) })),
    roles: Object.fromEntries(contract.roles.map((role) => [role, compileRole(role, policy, contract)])),
  });
}

function fieldOf({ derive, ...field }: FieldDocument): Resource["fields"][string] {
  return { ...field, ...(derive && { derive: { answer: derive.answer, from: [...derive.from] } }) };
}

function roleProblems({ roles, resources }: PolicyDocument, contract: ContractDocument): Problem[] {
  const { source } = contract;
  const fields = Object.values(resources).reduce((sum, resource) => sum + Object.keys(resource.fields).length, 0);
  if (contract.roles.length * fields > fieldsOfRolesMax) {
    const said = `${contract.roles.length} roles over ${fields} fields are more than we compile`;
    return [
      source.valueProblem(["roles"], "too_large", said, `at most ${fieldsOfRolesMax} together: name fewer roles, or split the policy`),
    ];
  }
  const problems: Problem[] = [];
  const known = Object.keys(roles);
  for (const [index, role] of contract.roles.entries()) {
    // A policy without any role denies everything to everybody; it is not a typing mistake.
    if (known.length === 0 || isFull(problems)) break;
    if (Object.hasOwn(roles, role)) continue;
    problems.push(source.valueProblem(["roles", index], "unknown_role", `the policy has no role ${quote(role)}`, didYouMean(role, known)));
  }
  return problems;
}

function retentionProblems({ resources }: PolicyDocument, { source, retentionDays = {} }: ContractDocument): Problem[] {
  const unknown = Object.keys(retentionDays).filter((type) => !Object.hasOwn(resources, type));
  return unknown.map((type) => {
    const said = `the policy has no resource ${quote(type)}`;
    return source.problem(["retention", type], "unknown_resource", said, didYouMean(type, Object.keys(resources)));
  });
}

function seatProblems({ source, roles, seats }: ContractDocument): Problem[] {
  const lists = [["roles", seats?.roles] as const, ["second_owner", seats?.secondOwner] as const];
  return lists.flatMap(([list, named = []]) =>
    named.flatMap((role, index) => {
      if (roles.includes(role)) return [];
      const said = `the contract has no role ${quote(role)}`;
      return [source.valueProblem(["seats", list, index], "unknown_role", said, didYouMean(role, roles))];
    }),
  );
}

function contractOf(document: ContractDocument): Bundle["contract"] {
  const { id, merchant, vendor, subprocessors, term, hours, networks, dpop, purposes, purge } = document;
  const { retentionDays, vendorSystems, seats, approvals, upstream, vendorKey } = document;
  return {
    id,
    merchant,
    vendor,
    subprocessors: [...subprocessors],
    term,
    ...(hours && { hours: hours.map(({ days, from, to }) => ({ days: [...days], from, to })) }),
    ...(networks && { networks: networks.map(({ name, blocks }) => ({ name, blocks: [...blocks] })) }),
    ...(dpop && { dpop }),
    purposes: mapValues(purposes, ({ classes, ...rest }) => ({ ...(classes && { classes: [...classes] }), ...rest })),
    purge,
    ...(retentionDays && { retentionDays }),
    ...(vendorSystems && { vendorSystems: [...vendorSystems] }),
    ...(seats && { seats: seatsOf(seats) }),
    ...(approvals && { approvals }),
    ...(upstream && { upstream }),
    ...(vendorKey && { vendorKey }),
  };
}

function seatsOf({ roles, secondOwner, ...demanded }: SeatTerms): NonNullable<Bundle["contract"]["seats"]> {
  return { ...(roles && { roles: [...roles] }), ...(secondOwner && { secondOwner: [...secondOwner] }), ...demanded };
}

function compileRole(role: string, policy: PolicyDocument, contract: ContractDocument): Bundle["roles"][string] {
  const rules = (Object.hasOwn(policy.roles, role) ? policy.roles[role] : undefined) ?? {};
  const { file } = policy.source;
  return mapValues(policy.resources, (resource, type) => {
    const own: TypeRules = (Object.hasOwn(rules, type) ? rules[type] : undefined) ?? { fields: {} };
    const fields = mapValues(resource.fields, (field, path) => {
      const written = Object.hasOwn(own.fields, path) ? own.fields[path] : undefined;
      return compileField({ role, path, class: field.class, file, ceiling: contract.ceiling[field.class] ?? withheld }, written ?? []);
    });
    const rows = own.rows && { when: own.rows.when.text, at: { file, line: own.rows.line } };
    const writes = compileWrites(own.writes ?? [], { file, resource, contract });
    return { ...(rows && { rows }), ...(writes.length > 0 && { writes }), fields };
  });
}

interface Written {
  readonly file: string;
  readonly resource: ResourceDocument;
  readonly contract: ContractDocument;
}

/** Of a class that the contract's ceiling withholds nothing is written. */
function compileWrites(grants: readonly WriteGrant[], { file, resource, contract }: Written) {
  return grants
    .filter(({ path }) => {
      const { treatment } = contract.ceiling[resource.fields[path]?.class ?? "secret"] ?? withheld;
      return treatment !== "withhold";
    })
    .map(({ path, purposes, line }) => ({ path, ...(purposes && { purposes: [...purposes] }), at: { file, line } }));
}

const withheld: Grant = { treatment: "withhold" };

interface Named {
  readonly role: string;
  readonly path: string;
  readonly class: DataClass;
  readonly file: string;
  readonly ceiling: Grant;
}

function compileField(named: Named, written: readonly Alternative[]): Rule[] {
  const rules: Rule[] = [];
  for (const alternative of written) {
    const rule = compileRule(named, alternative);
    rules.push(rule);
    // What follows is never reached.
    if (rule.purposes === undefined && rule.when === undefined) return rules;
  }
  const { role, path } = named;
  const why = written.length === 0 ? `role ${role} has no rule for ${path}` : `role ${role}: no rule for ${path} holds here`;
  return [...rules, { treatment: "withhold", why }];
}

function compileRule(named: Named, { grant, metering, purposes, when, line }: Alternative): Rule {
  const { role, path, class: name, file, ceiling } = named;
  const at = { file, line };
  const place = `(${file}:${line})`;
  const said = `role ${role}: ${path} → ${describeGrant(grant)}`;
  const conditional = { ...(purposes && { purposes: [...purposes] }), ...(when && { when: when.text }) };
  if (grant.treatment === "withhold") return { treatment: "withhold", ...conditional, why: `${said} ${place}`, at };
  if (name === "free_text") return { treatment: "withhold", why: "free text is withheld until it can be redacted", at };
  const capped = capGrant(ceiling, grant);
  const isMetered = metering !== undefined && capped.treatment === "reveal";
  if (capped.treatment === "withhold") return { treatment: "withhold", ...conditional, why: `above the contract's ceiling ${place}`, at };
  if (isMetered)
    return { treatment: "mask", reveal: metering, ...conditional, why: `${said}, one at a time; masked in a read ${place}`, at };
  const lowered = isSameGrant(capped, grant) ? "" : `; the contract's ceiling: ${describeGrant(ceiling)}`;
  return { ...capped, ...conditional, why: `${said}${lowered} ${place}`, at };
}

function mapValues<In, Out>(record: Readonly<Record<string, In>>, map: (value: In, key: string) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
