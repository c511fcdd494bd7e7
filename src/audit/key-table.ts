/**
 * Which texts have been met, and as which in number: for the ids and the writers of a whole log, in 13 to 15 bytes each whatever their length.
 * Keyed by SHA-256, so that nobody chooses texts that fall together; 64 bits of it stand for the text.
 */
import { sha256, utf8 } from "../crypto/index.ts";

export interface KeyTable {
  /** 0, 1, 2 … in the order in which keys are first met; `isNew`: it was not met before. */
  numberOf(key: string): { readonly number: number; readonly isNew: boolean };
}

/** Each grows for itself, so that old and new are never there twice over; few enough that one is soon a block that the system takes back whole. */
const shelves = 16;
const slotsMin = 16;
const fullAt = 0.9;
const growth = 1.1;
/** High half, low half, number + 1 (0: free). */
const slotWords = 3;

export function createKeyTable(): KeyTable {
  const tables = Array.from({ length: shelves }, createShelf);
  let count = 0;
  return {
    numberOf(key) {
      const digest = sha256(utf8(key));
      const view = new DataView(digest.buffer, digest.byteOffset);
      const [high, low] = [view.getUint32(0), view.getUint32(4)];
      const known = tables[high % shelves]?.numberOf(high, low, count) ?? count;
      if (known !== count) return { number: known, isNew: false };
      count++;
      return { number: known, isNew: true };
    },
  };
}

/** Open addressing, one slot further where one is taken. */
function createShelf() {
  let slots = slotsMin;
  let words = new Uint32Array(slots * slotWords);
  let held = 0;

  /** Of the key, or the free one where it belongs; as an index into `words`. */
  const slotOf = (high: number, low: number): number => {
    let slot = low % slots;
    for (;;) {
      const at = slot * slotWords;
      if (words[at + 2] === 0 || (words[at] === high && words[at + 1] === low)) return at;
      slot = slot + 1 === slots ? 0 : slot + 1;
    }
  };
  const put = (high: number, low: number, mark: number) => {
    const at = slotOf(high, low);
    words[at] = high;
    words[at + 1] = low;
    words[at + 2] = mark;
  };
  const grow = () => {
    const old = words;
    slots = Math.ceil(slots * growth);
    words = new Uint32Array(slots * slotWords);
    for (let at = 0; at < old.length; at += slotWords) {
      const mark = old[at + 2] ?? 0;
      if (mark !== 0) put(old[at] ?? 0, old[at + 1] ?? 0, mark);
    }
  };

  return {
    /** The key's number; it is given `next` where it had none. */
    numberOf(high: number, low: number, next: number): number {
      const mark = words[slotOf(high, low) + 2] ?? 0;
      if (mark !== 0) return mark - 1;
      if (held + 1 > slots * fullAt) grow();
      put(high, low, next + 1);
      held++;
      return next;
    },
  };
}
