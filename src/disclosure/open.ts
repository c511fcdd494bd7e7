/**
 * From sealed records to masked ones: open the plain level where a row rule or a condition reads it, ask them, then open what is left of the plan, and mask.
 * A record that a row rule does not admit is as if it were not there.
 */
import type { Aead } from "../crypto/index.ts";
import type { ContractId, JsonObject, Locator } from "../kernel/index.ts";
import type { ContractKeys } from "../keys/index.ts";
import { type Circumstances, type Decision, judge, type MaskingNote, type OpenLevel, type Shown, show } from "../policy/index.ts";
import { openLevel } from "../records/index.ts";
import { hitsMax, type LoadedRecord } from "./load.ts";

export interface MaskedRecord {
  readonly type: string;
  readonly locator: Locator;
  readonly fields: JsonObject;
  readonly masking: readonly MaskingNote[];
}

export interface Opened {
  readonly record: MaskedRecord;
  readonly subject: string;
  readonly settled: Shown["settled"];
  readonly left: Shown["left"];
  readonly unknown: Shown["unknown"];
}

export interface OpenedRecords {
  /** At most `hitsMax`. */
  readonly shown: readonly Opened[];
  /** There are others that would be shown. */
  readonly more: boolean;
  /** Records that the row rule did not admit: it did not hold, or could not be evaluated. */
  readonly refused: { readonly notHeld: number; readonly failed: number };
}

export interface Opening {
  readonly contract: ContractId;
  readonly type: string;
  readonly decision: Decision;
  readonly keys: ContractKeys;
  readonly circumstances: Circumstances;
}

/** `null` = a key or a level does not open. */
export function openRecords(aead: Aead, opening: Opening, records: readonly LoadedRecord[]): OpenedRecords | null {
  const { decision, keys } = opening;
  const shown: Opened[] = [];
  let [more, notHeld, failed] = [false, 0, 0];
  for (const record of records) {
    // Without a row rule nobody need look into what is not shown.
    if (shown.length === hitsMax && !decision.hasRows) return { shown, more: true, refused: { notHeld, failed } };
    const opened = keys.withSubjectKey(record.subject, record.subjectKey, (key) =>
      openRecord(opening, record, openerOf(aead, opening, record, key), shown.length < hitsMax),
    );
    if (opened === null) return null;
    if (opened === "failed") failed++;
    else if (opened === "fails_to_hold") notHeld++;
    else if (opened === "not_wanted") more = true;
    else shown.push(opened);
  }
  return { shown, more, refused: { notHeld, failed } };
}

/** Why the row rule did not admit it; `not_wanted`: it did, and that is all that is asked. `null` = a level does not open. */
function openRecord(
  { type, decision, circumstances, keys }: Opening,
  { locator, subject }: LoadedRecord,
  open: OpenLevel,
  wanted: boolean,
): Opened | "failed" | "fails_to_hold" | "not_wanted" | null {
  const judged = judge(decision, circumstances, open);
  if (!judged) return null;
  if (judged.admitted === "failed" || judged.admitted === "fails_to_hold") return judged.admitted;
  if (!wanted) return "not_wanted";
  const made = show(decision, judged.facts, open, keys.pseudonym);
  if (made === null) return null;
  const { settled, fields, left, unknown } = made;
  return { record: { type, locator, fields, masking: settled.masking }, subject, settled, left, unknown };
}

/** Opens each level once. */
function openerOf(
  aead: Aead,
  { contract, type }: Opening,
  { locator, subject, version, levels }: LoadedRecord,
  key: Uint8Array,
): OpenLevel {
  const opened = new Map<number, JsonObject | null>();
  return (level) => {
    const sealed = levels[level];
    if (!sealed) return undefined;
    const known = opened.get(level);
    if (known !== undefined) return known;
    const document = openLevel(aead, key, { contract, subject, type, locator, level, version }, sealed);
    opened.set(level, document);
    return document;
  };
}
