/**
 * From a record's levels to what leaves of it: the plain level where a row rule or a condition reads it → row rule → conditions → the rest of the plan → mask.
 * Whoever has the record, sealed or not, says how a level is opened; a level from which nothing leaves is not asked for.
 */
import type { JsonObject } from "../kernel/index.ts";
import { type Masked, maskDocument } from "../masking/index.ts";
import type { Circumstances } from "./circumstances.ts";
import type { Facts, Verdict } from "./condition.ts";
import { admit, type Decision, type Settled, settle } from "./decide.ts";
import { mergeLevels, sortLevels } from "./sort-fields.ts";

/** `undefined` = nothing of the record lies at that level; `null` = it does not open. */
export type OpenLevel = (level: number) => JsonObject | undefined | null;

export interface Judged {
  /** Unless it holds, the record is as if it were not there. */
  readonly admitted: Verdict;
  readonly facts: Facts;
}

export interface Shown {
  readonly settled: Settled;
  readonly fields: JsonObject;
  /** Policy path → treatment of what left. */
  readonly left: Masked["shown"];
  /** Members and shapes that the policy does not name. */
  readonly unknown: number;
}

const plainLevel = 0;

/** `null` = the plain level is needed and does not open. */
export function judge(decision: Decision, circumstances: Circumstances, open: OpenLevel): Judged | null {
  const plain = decision.needsRecord ? open(plainLevel) : undefined;
  if (plain === null) return null;
  const facts = { ...circumstances, record: plain ?? {} };
  return { admitted: decision.hasRows ? admit(decision, facts) : "holds", facts };
}

/** Of a record that was admitted. `null` = a level does not open. */
export function show(decision: Decision, facts: Facts, open: OpenLevel, pseudonymKey: Uint8Array): Shown | null {
  const settled = settle(decision, facts);
  const documents: JsonObject[] = [];
  for (const level of settled.levels) {
    const document = open(level);
    if (document === null) return null;
    if (document !== undefined) documents.push(document);
  }
  const { fields, shown: left, unknown } = maskDocument(settled.plan, mergeLevels(documents), { today: facts.request.date, pseudonymKey });
  return { settled, fields, left, unknown };
}

/** What a role sees of a record that nobody keeps: the same road as of a sealed one. A text instead says why the row rule did not admit it. */
export function showDocument(
  decision: Decision,
  circumstances: Circumstances,
  document: JsonObject,
  pseudonymKey: Uint8Array,
): Shown | Exclude<Verdict, "holds"> {
  const { levels, unnamed } = sortLevels(decision.resource, document);
  const open: OpenLevel = (level) => levels[level];
  const judged = judge(decision, circumstances, open);
  if (judged === null) return "failed";
  if (judged.admitted !== "holds") return judged.admitted;
  const shown = show(decision, judged.facts, open, pseudonymKey);
  return shown === null ? "failed" : { ...shown, unknown: shown.unknown + unnamed.length };
}
