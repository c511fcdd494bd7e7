/**
 * Which texts have been met, and as which in number: for the ids and the writers of a whole log, in 12 to 24 bytes each whatever their length.
 * Keyed by SHA-256, so that nobody chooses texts that fall together; 64 bits of it stand for the text.
 */
import { sha256, utf8 } from "../crypto/index.ts";

export interface KeyTable {
  /** 0, 1, 2 … in the order in which keys are first met; `isNew`: it was not met before. */
  numberOf(key: string): { readonly number: number; readonly isNew: boolean };
}

const slotsMin = 1_024;
const fullAt = 0.6;

export function createKeyTable(): KeyTable {
  let slots = slotsMin;
  let tags = new Uint32Array(2 * slots);
  let numbers = new Uint32Array(slots); // number + 1; 0: free
  let count = 0;

  /** Steps are odd and the slots a power of two, so that each is visited. */
  const slotOf = (high: number, low: number): number => {
    let slot = low % slots;
    for (const step = (high % slots) | 1; numbers[slot] !== 0; slot = (slot + step) % slots)
      if (tags[2 * slot] === high && tags[2 * slot + 1] === low) return slot;
    return slot;
  };
  const put = (slot: number, high: number, low: number, number: number) => {
    tags[2 * slot] = high;
    tags[2 * slot + 1] = low;
    numbers[slot] = number + 1;
  };
  const grow = () => {
    const [oldTags, oldNumbers] = [tags, numbers];
    slots *= 2;
    tags = new Uint32Array(2 * slots);
    numbers = new Uint32Array(slots);
    oldNumbers.forEach((number, i) => {
      const [high, low] = [oldTags[2 * i] ?? 0, oldTags[2 * i + 1] ?? 0];
      if (number !== 0) put(slotOf(high, low), high, low, number - 1);
    });
  };

  return {
    numberOf(key) {
      const digest = sha256(utf8(key));
      const view = new DataView(digest.buffer, digest.byteOffset);
      const [high, low] = [view.getUint32(0), view.getUint32(4)];
      const slot = slotOf(high, low);
      const known = numbers[slot] ?? 0;
      if (known !== 0) return { number: known - 1, isNew: false };
      put(slot, high, low, count++);
      if (count > slots * fullAt) grow();
      return { number: count - 1, isNew: true };
    },
  };
}
