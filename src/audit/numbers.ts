/** A list of numbers or of hashes that grows, outside the heap, without an object for each and without copying. */
import { hashBytes } from "./tree.ts";

const chunkLength = 8_192;

export interface Numbers {
  set(at: number, value: number): void;
  /** 0 where nothing was set. */
  get(at: number): number;
}

export function createNumbers(): Numbers {
  const chunks: Float64Array[] = [];
  return {
    set(at, value) {
      const chunk = Math.floor(at / chunkLength);
      chunks[chunk] ??= new Float64Array(chunkLength);
      chunks[chunk][at % chunkLength] = value;
    },
    get: (at) => chunks[Math.floor(at / chunkLength)]?.[at % chunkLength] ?? 0,
  };
}

export interface HashList {
  set(at: number, hash: Uint8Array): void;
  /** A view of it; zeros where nothing was set. */
  get(at: number): Uint8Array;
}

export function createHashList(): HashList {
  const chunks: Uint8Array[] = [];
  const none = new Uint8Array(hashBytes);
  return {
    set(at, hash) {
      const chunk = Math.floor(at / chunkLength);
      chunks[chunk] ??= new Uint8Array(chunkLength * hashBytes);
      chunks[chunk].set(hash, (at % chunkLength) * hashBytes);
    },
    get(at) {
      const start = (at % chunkLength) * hashBytes;
      return chunks[Math.floor(at / chunkLength)]?.subarray(start, start + hashBytes) ?? none;
    },
  };
}
