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
  const { type, decision, circumstances, keys } = opening;
  const shown: Opened[] = [];
  let [more, notHeld, failed] = [false, 0, 0];
  for (const record of records) {
    // Without a row rule nobody need look into what is not shown.
    if (shown.length === hitsMax && !decision.hasRows) return { shown, more: true, refused: { notHeld, failed } };
    const { locator, subject, subjectKey } = record;
    const key = subjectKey && keys.openSubjectKey(subject, subjectKey);
    if (!key) return null;
    try {
      const open = openerOf(aead, opening, record, key);
      const judged = judge(decision, circumstances, open);
      if (!judged) return null;
      if (judged.admitted === "failed") failed++;
      else if (judged.admitted === "fails_to_hold") notHeld++;
      else if (shown.length === hitsMax) more = true;
      else {
        const opened = show(decision, judged.facts, open, keys.pseudonym);
        if (opened === null) return null;
        const { settled, fields, left, unknown } = opened;
        shown.push({ record: { type, locator, fields, masking: settled.masking }, subject, settled, left, unknown });
      }
    } finally {
      key.fill(0);
    }
  }
  return { shown, more, refused: { notHeld, failed } };
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
