/**
 * Runs a case file: compile → circumstances → decide → row rule, conditions → mask, by the functions that a disclosure runs, and compares what leaves.
 * A field that a case does not name must be withheld, so that whoever opens a field hears of it from every case.
 */
import { ok, printJson, type Result, refuse } from "../kernel/index.ts";
import type { Treatment } from "../masking/index.ts";
import type { Bundle } from "./bundle.ts";
import type { CaseDocument, CasesDocument, Expectation, Outcome } from "./cases-document.ts";
import { circumstancesOf, outsideTerm } from "./circumstances.ts";
import { compile } from "./compile.ts";
import type { ContractDocument } from "./contract-document.ts";
import { decide, type Obligation, type Settled, type SettledField } from "./decide.ts";
import type { PolicyDocument } from "./policy-document.ts";
import { rowsKey } from "./policy-shape.ts";
import type { Problem } from "./problem.ts";
import { describeMetering } from "./rule.ts";
import { quote } from "./shape.ts";
import { judge, type Shown, show } from "./show.ts";
import { sortFields } from "./sort-fields.ts";
import { instantAt } from "./term.ts";
import { valuesAt } from "./values-at.ts";

export interface CaseResult {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** Empty = passed. */
  readonly differences: readonly CaseDifference[];
}

export interface CaseDifference {
  /** A field; `record` = whether anything is shown at all; `rows` = the row rule. */
  readonly path: string;
  readonly expected: string;
  readonly got: string;
  /** The rule that decided, and where it is written. */
  readonly why?: string;
  readonly at?: SettledField["at"];
}

/** Cases show pseudonyms of no real contract. */
const pseudonymKey = new Uint8Array(32);

/** `contracts`: by the names of the case file. `policyName`: as contracts call it. */
export function runCases(
  cases: CasesDocument,
  policy: PolicyDocument,
  contracts: Readonly<Record<string, ContractDocument>>,
  policyName: string,
): Result<CaseResult[], Problem[]> {
  const problems: Problem[] = [];
  const bundles = new Map<string, Bundle>();
  for (const [name, contract] of Object.entries(contracts)) {
    if (contract.policy !== policyName) problems.push(otherPolicy(contract, policyName));
    const bundle = compile(policy, contract);
    if (bundle.ok) bundles.set(name, bundle.value);
    else problems.push(...bundle.refusal);
  }
  if (problems.length > 0) return refuse(problems);
  return ok(
    cases.cases.map((one) => {
      const bundle = bundles.get(one.contract);
      if (bundle === undefined) throw new RangeError("a contract of the cases was not handed over");
      const { name, line } = one;
      return { name, file: cases.source.file, line, differences: compare(one, meet(bundle, one)) };
    }),
  );
}

function otherPolicy({ source, policy }: ContractDocument, policyName: string): Problem {
  return source.valueProblem(
    ["policy"],
    "other_policy",
    `this contract names the policy ${quote(policy)}`,
    `the cases are those of ${policyName}`,
  );
}

type Met = { readonly outcome: Outcome; readonly failed: readonly string[] } | { readonly shown: Shown };

function meet(bundle: Bundle, { request, now, type, record }: CaseDocument): Met {
  const instant = instantAt(now, bundle.contract.term.zone) ?? Number.NaN;
  const outside = outsideTerm(bundle, instant);
  if (outside !== null) return { outcome: outside, failed: [] };
  const circumstances = circumstancesOf(bundle, { ...request, now: instant });
  if (!circumstances.ok) return { outcome: circumstances.refusal.code, failed: [] };
  const decision = decide(bundle, { role: request.agent.role, type, purpose: circumstances.value.request.purpose });
  if (decision === null) return { outcome: "not_there", failed: [] };
  const { levels } = sortFields(decision.resource, record);
  const open = (level: number) => levels[level];
  const judged = judge(decision, circumstances.value, open);
  if (judged?.admitted !== "holds") return { outcome: "not_there", failed: judged?.admitted === "failed" ? [rowsKey] : [] };
  const shown = show(decision, judged.facts, open, pseudonymKey);
  return shown === null ? { outcome: "not_there", failed: [] } : { shown };
}

const refusedRecord = "record";

function compare(one: CaseDocument, met: Met): CaseDifference[] {
  const { expect } = one;
  if ("outcome" in met) {
    const expected = typeof expect === "string" ? expect : "fields";
    const differences = expected === met.outcome ? [] : [{ path: refusedRecord, expected, got: met.outcome }];
    return [...differences, ...compareFailed(one, met.failed, [rowsKey])];
  }
  if (typeof expect === "string") return [{ path: refusedRecord, expected: expect, got: "fields" }];
  const { settled, left } = met.shown;
  const named = settled.fields.flatMap((field) => compareField(field, expect.get(field.path), met.shown) ?? []);
  const others = one.others === "any" ? [] : settled.fields.filter(({ path }) => !expect.has(path));
  const opened = others.flatMap((field) => compareOther(field, obligationOf(settled, field.path), left[field.path]) ?? []);
  const judgedPaths = one.others === "any" ? [...expect.keys(), rowsKey] : [...settled.fields.map(({ path }) => path), rowsKey];
  return [...named, ...opened, ...compareFailed(one, settled.failed, judgedPaths)];
}

function compareField(field: SettledField, expected: Expectation | undefined, { settled, fields }: Shown): CaseDifference | null {
  if (expected === undefined) return null;
  const { path, treatment, why, at } = field;
  const values = valuesAt(fields, path);
  const got: Expectation = { treatment, ...(values !== undefined && { value: values }), ...onRequestOf(obligationOf(settled, path)) };
  const isSame =
    treatment === expected.treatment &&
    (expected.value === undefined || (values !== undefined && printJson(values) === printJson(expected.value))) &&
    priceOf(expected) === priceOf(got);
  if (isSame) return null;
  return { path, expected: describe(expected), got: describeGot(got, expected), why, ...(at && { at }) };
}

function compareOther(field: SettledField, owed: Obligation | undefined, left: Treatment | undefined): CaseDifference | null {
  const { path, treatment, why, at } = field;
  if (treatment === "withhold" && owed === undefined && left === undefined) return null;
  return { path, expected: "withhold, as it is not named", got: describe({ treatment, ...onRequestOf(owed) }), why, ...(at && { at }) };
}

function compareFailed({ failed }: CaseDocument, got: readonly string[], among: readonly string[]): CaseDifference[] {
  const said = (path: string, list: readonly string[]) =>
    list.includes(path) ? "a condition that cannot be evaluated" : "conditions that can";
  return [...new Set([...failed, ...got.filter((path) => among.includes(path))])]
    .filter((path) => failed.includes(path) !== got.includes(path))
    .map((path) => ({ path, expected: said(path, failed), got: said(path, got) }));
}

function priceOf({ onRequest }: Expectation): string | undefined {
  return onRequest && describeMetering(onRequest);
}

function obligationOf({ obligations }: Settled, path: string): Obligation | undefined {
  return obligations.find((obligation) => obligation.path === path);
}

function onRequestOf(owed: Obligation | undefined): Pick<Expectation, "onRequest"> {
  if (owed === undefined) return {};
  const { path: _path, ...onRequest } = owed;
  return { onRequest };
}

/** `withValue`: somebody asked what stands there. */
function describe({ treatment, value, onRequest }: Expectation, withValue = true): string {
  const shown = value === undefined ? "" : ` ${printJson(value)}`;
  return `${treatment}${withValue ? shown : ""}${onRequest ? ` (on request: ${describeMetering(onRequest)})` : ""}`;
}

function describeGot(got: Expectation, expected: Expectation): string {
  const isAbsent = got.value === undefined && expected.value !== undefined && got.treatment !== "withhold";
  return `${describe(got, expected.value !== undefined)}${isAbsent ? ", of nothing" : ""}`;
}
