/**
 * Each entry for itself: its bytes are those of its leaf, in the one canonical form, of this log, once, at a time that its id agrees with.
 */
import { equalBytes, fromUtf8 } from "../crypto/index.ts";
import { type CanonicalValue, canonicalJson } from "../kernel/index.ts";
import { type Entry, entrySchema } from "./entry.ts";
import type { Slot } from "./export-contents.ts";
import { createKeyTable } from "./key-table.ts";
import { createNumbers } from "./numbers.ts";
import { leafHash } from "./tree.ts";
import type { Findings } from "./verdict.ts";
import type { EpochCheck } from "./verify-epochs.ts";

/** An id's own clock and the entry's may differ by this much. */
const idSkewMsMax = 10 * 60_000;

export interface CheckedEntry {
  readonly slot: Slot;
  /** Recomputed from the bytes; the stored one where the bytes are gone. */
  readonly leaf: Uint8Array;
  /** `null` = not readable as an entry. */
  readonly entry: Entry | null;
}

/** Takes the places in order. `isExtract`: what is not shown is withheld, and judged by its hash. */
export function createEntryCheck(
  { epochs, isExtract }: { readonly epochs: EpochCheck; readonly isExtract: boolean },
  findings: Findings,
): (slot: Slot) => CheckedEntry {
  const ids = createKeyTable();
  /** How far an id's place lies from its number: in a whole log, nowhere. */
  const offsets = createNumbers();
  return (slot) => {
    const { index } = slot;
    if (slot.bytes.length === 0) {
      if (!isExtract) findings.add(index, "entry_missing", "the entry is missing");
      return { slot, leaf: slot.leaf, entry: null };
    }
    const leaf = leafHash(slot.bytes);
    if (!equalBytes(leaf, slot.leaf)) findings.add(index, "entry_changed", "the entry's bytes do not give the stored leaf hash");
    const entry = parseEntry(slot.bytes);
    if (entry === null) {
      findings.add(index, "entry_malformed", "the entry is not canonical JSON of an entry's form");
      return { slot, leaf, entry };
    }
    epochs.add(index, entry);
    if (!epochs.admits(entry.log, index)) findings.add(index, "entry_of_another_log", "the entry belongs to another log");
    const { number, isNew } = ids.numberOf(entry.id);
    if (!isNew) findings.add(index, "entry_twice", `the entry is also at place ${number + offsets.get(number)}`);
    else if (index !== number) offsets.set(number, index - number);
    if (Math.abs(timeOfId(entry.id) - Date.parse(entry.time)) > idSkewMsMax)
      findings.add(index, "entry_time", "the entry's time and the time in its id differ by over ten minutes");
    return { slot, leaf, entry };
  };
}

/** `null` = not UTF-8, not the canonical text of its value, or not of the schema. */
export function parseEntry(bytes: Uint8Array): Entry | null {
  try {
    const text = fromUtf8(bytes);
    const value = JSON.parse(text) as CanonicalValue;
    if (canonicalJson(value) !== text) return null;
    const parsed = entrySchema.safeParse(value);
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // of a hostile text: too deep, half a character, a number that two readers read differently
  }
}

/** RFC 9562 §5.7: the first 48 bits are milliseconds since 1970. */
function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
