/**
 * Why a role sees what it sees: field by field the treatment, the rule that decides, and whatever lowered it: the purpose, the contract's ceiling, a condition
 * that does not hold, another field beside it. By the decision that a disclosure would take; without a record it says what the record would decide.
 */
import { type JsonObject, printJson } from "../kernel/index.ts";
import type { DataClass } from "../masking/index.ts";
import type { Rule } from "./bundle.ts";
import type { Circumstances } from "./circumstances.ts";
import type { Verdict } from "./condition.ts";
import type { ContractDocument } from "./contract-document.ts";
import { type Decision, type Settled, settle } from "./decide.ts";
import type { PolicyDocument } from "./policy-document.ts";
import { needs } from "./purposes.ts";
import { type Alternative, describeMetering, type Metering } from "./rule.ts";
import { judge, show } from "./show.ts";
import { sortFields } from "./sort-fields.ts";
import { capGrant, describeGrant, type Grant, isSameGrant } from "./treatments.ts";
import { valuesAt } from "./values-at.ts";
import type { WriteGrant } from "./writes.ts";

export interface Explanation {
  /** The record is there only where it holds. `null` = every record is. */
  readonly rows: { readonly when: string; readonly at: Place; readonly verdict: KnownVerdict } | null;
  readonly fields: readonly FieldExplanation[];
}

export interface FieldExplanation {
  readonly path: string;
  readonly class: DataClass;
  /** One, or, where the record decides, all that it may come to: the first whose condition holds. */
  readonly outcomes: readonly ExplainedOutcome[];
  readonly caps: readonly Cap[];
  /** The role may write it into the merchant's own API; where that is said. */
  readonly writable?: Place;
  /** `reveal if record.status == "open", else mask`. */
  readonly summary: string;
  /** What leaves, as JSON, of a record that is given and is there. */
  readonly shown?: string;
}

export interface ExplainedOutcome extends Grant {
  /** The record has to fulfil it; absent = nothing is open. */
  readonly when?: string;
  readonly onRequest?: Metering;
  readonly why: string;
  readonly at?: Place;
}

/** What lowered the field, and where it is written. */
export interface Cap {
  readonly by: "purpose" | "ceiling" | "condition" | "beside";
  readonly what: string;
  readonly at?: Place;
}

/** `depends`: on the record, which is not known. */
export type KnownVerdict = Verdict | "depends";

type Place = NonNullable<Rule["at"]>;
type OpenField = Decision["open"]["fields"][number];

export interface Explained {
  readonly policy: PolicyDocument;
  readonly contract: ContractDocument;
  readonly decision: Decision;
  readonly type: string;
  readonly circumstances: Circumstances;
  /** As the merchant has it; `null` = not known. */
  readonly record: JsonObject | null;
}

const pseudonymKey = new Uint8Array(32);

export function explain(asked: Explained): Explanation {
  const { decision, circumstances, policy, type, record } = asked;
  const levels = record === null ? [] : sortFields(decision.resource, record).levels;
  const open = (level: number) => levels[level];
  const judged = judge(decision, circumstances, open);
  const facts = judged?.facts ?? { ...circumstances, record: {} };
  const variables = decision.open.variables(facts);
  const { conditions, rows } = decision.open;
  const verdictOf = (index: number | null): KnownVerdict => {
    const condition = index === null ? null : conditions[index];
    if (condition === null || condition === undefined) return "holds";
    return record === null && condition.needsRecord ? "depends" : condition.verdict(variables);
  };
  const isThere = record !== null && judged?.admitted === "holds";
  const shown = isThere ? show(decision, facts, open, pseudonymKey) : null;
  const settled = shown?.settled ?? settle(decision, facts);
  const isDecided = conditions.every((_, index) => verdictOf(index) !== "depends");
  const rowRule = policy.roles[circumstances.agent.role]?.[type]?.rows;
  return {
    rows:
      rows && rowRule
        ? {
            when: rows.text,
            at: { file: policy.source.file, line: rowRule.line },
            verdict: record === null && rows.needsRecord ? "depends" : (judged?.admitted ?? "failed"),
          }
        : null,
    fields: decision.open.fields.map((field) => {
      const value = shown === null ? undefined : valuesAt(shown.fields, field.path);
      const explained = explainField(asked, field, verdictOf);
      const lowered = isDecided ? loweredBeside(settled, field.path) : null;
      const outcomes = lowered
        ? explained.outcomes.map(({ why, at, onRequest }) => ({
            ...lowered.grant,
            why,
            ...(at && { at }),
            ...(onRequest && { onRequest }),
          }))
        : explained.outcomes;
      return {
        path: field.path,
        class: field.class,
        outcomes,
        caps: [...explained.caps, ...(lowered ? [lowered.cap] : []), ...writeCaps(asked, field)],
        ...writableAt(asked, field.path),
        summary: summaryOf(outcomes),
        ...(value !== undefined && { shown: printJson(value) }),
      };
    }),
  };
}

function explainField(
  { policy, contract, type, circumstances }: Explained,
  { path, class: name, rules }: OpenField,
  verdictOf: (condition: number | null) => KnownVerdict,
): Pick<FieldExplanation, "outcomes" | "caps"> {
  const { agent, request } = circumstances;
  const written = policy.roles[agent.role]?.[type]?.fields[path] ?? [];
  const caps: Cap[] = purposeCaps({ policy, contract, written, class: name, purpose: request.purpose });
  const outcomes: ExplainedOutcome[] = [];
  for (const { rule, condition } of rules) {
    const verdict = verdictOf(condition);
    if (verdict === "fails_to_hold" || verdict === "failed") {
      const what = `${rule.when ?? ""} ${verdict === "failed" ? "cannot be evaluated" : "does not hold"}`;
      caps.push({ by: "condition", what, ...(rule.at && { at: rule.at }) });
      continue;
    }
    caps.push(...ceilingCap(contract, name, alternativeOf(written, rule)));
    outcomes.push(outcomeOf(rule, verdict));
    if (verdict === "holds") break;
  }
  return { outcomes, caps };
}

function writableAt({ policy, decision, type, circumstances }: Explained, path: string): Pick<FieldExplanation, "writable"> {
  const grant = grantOf(policy, circumstances.agent.role, type, path);
  return grant && decision.writable.includes(path) ? { writable: { file: policy.source.file, line: grant.line } } : {};
}

/** What the policy lets be written and is not: for this purpose, or under this contract. */
function writeCaps({ policy, contract, decision, type, circumstances }: Explained, { path, class: name }: OpenField): Cap[] {
  const grant = grantOf(policy, circumstances.agent.role, type, path);
  if (grant === undefined || decision.writable.includes(path)) return [];
  const isUnder = (contract.ceiling[name]?.treatment ?? "withhold") !== "withhold";
  const by = isUnder ? "purpose" : "ceiling";
  const what = isUnder ? `not written for ${circumstances.request.purpose}` : `${name} is not written: the ceiling withholds it`;
  return [{ by, what, at: { file: policy.source.file, line: grant.line } }];
}

function grantOf({ roles }: PolicyDocument, role: string, type: string, path: string): WriteGrant | undefined {
  return roles[role]?.[type]?.writes?.find((grant) => grant.path === path);
}

/** Several may stand on one line. */
function alternativeOf(written: readonly Alternative[], rule: Rule): Alternative | undefined {
  const there = written.filter(({ line }) => line === rule.at?.line);
  return there.find(({ when }) => when?.text === rule.when) ?? there[0];
}

function outcomeOf({ treatment, profile, to, reveal, when, why, at }: Rule, verdict: KnownVerdict): ExplainedOutcome {
  return {
    treatment,
    ...(profile && { profile }),
    ...(to && { to }),
    ...(verdict === "depends" && when !== undefined && { when }),
    ...(reveal && { onRequest: reveal }),
    why,
    ...(at && { at }),
  };
}

function summaryOf(outcomes: readonly ExplainedOutcome[]): string {
  return outcomes
    .map(({ when, onRequest, ...grant }) => {
      const price = onRequest ? ` (on request: ${describeMetering(onRequest)})` : "";
      return `${describeGrant(grant)}${price}${when === undefined ? "" : ` if ${when}`}`;
    })
    .join(", else ");
}

function purposeCaps(asked: {
  readonly policy: PolicyDocument;
  readonly contract: ContractDocument;
  readonly written: readonly Alternative[];
  readonly class: DataClass;
  readonly purpose: string;
}): Cap[] {
  const { policy, contract, written, purpose } = asked;
  const needed = contract.purposes[purpose];
  if (written.length === 0) return [];
  if (needed !== undefined && !needs(needed, asked.class)) {
    const at = { file: contract.source.file, line: contract.source.placeOf(["purposes", purpose]).line };
    return [{ by: "purpose", what: `${purpose} needs ${needed.classes?.join(", ") || "nothing personal"}`, at }];
  }
  return written
    .filter(({ purposes }) => purposes?.includes(purpose) === false)
    .map(({ grant, purposes = [], line }) => {
      return { by: "purpose", what: `${describeGrant(grant)} only for ${purposes.join(", ")}`, at: { file: policy.source.file, line } };
    });
}

function ceilingCap({ ceiling, source }: ContractDocument, name: DataClass, alternative: Alternative | undefined): Cap[] {
  const most: Grant = ceiling[name] ?? { treatment: "withhold" };
  if (alternative === undefined || isSameGrant(capGrant(most, alternative.grant), alternative.grant)) return [];
  const limit = ceiling[name] === undefined ? ["ceiling"] : ["ceiling", name];
  return [{ by: "ceiling", what: `${name} at most ${describeGrant(most)}`, at: { file: source.file, line: source.placeOf(limit).line } }];
}

function loweredBeside(settled: Settled, path: string): { readonly grant: Grant; readonly cap: Cap } | null {
  const field = settled.fields.find((known) => known.path === path);
  if (field?.lowered === undefined) return null;
  const { treatment, profile, lowered } = field;
  const grant: Grant = treatment === "mask" && profile ? { treatment, profile } : { treatment };
  return { grant, cap: { by: "beside", what: lowered } };
}
