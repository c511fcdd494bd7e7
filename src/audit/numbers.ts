/** A list of numbers or of hashes that grows, outside the heap and without an object for each. */
import { hashBytes } from "./tree.ts";

export interface Numbers {
  set(at: number, value: number): void;
  /** 0 where nothing was set. */
  get(at: number): number;
}

const lengthMin = 1_024;

export function createNumbers(): Numbers {
  let values = new Float64Array(lengthMin);
  return {
    set(at, value) {
      if (at >= values.length) {
        const before = values;
        values = new Float64Array(2 * at);
        values.set(before);
      }
      values[at] = value;
    },
    get: (at) => values[at] ?? 0,
  };
}

export interface HashList {
  set(at: number, hash: Uint8Array): void;
  /** A view of it; zeros where nothing was set. */
  get(at: number): Uint8Array;
}

export function createHashList(): HashList {
  let bytes = new Uint8Array(lengthMin * hashBytes);
  return {
    set(at, hash) {
      if ((at + 1) * hashBytes > bytes.length) {
        const before = bytes;
        bytes = new Uint8Array(2 * at * hashBytes);
        bytes.set(before);
      }
      bytes.set(hash, at * hashBytes);
    },
    get: (at) => bytes.subarray(at * hashBytes, (at + 1) * hashBytes),
  };
}
