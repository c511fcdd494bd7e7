/** A list of numbers or of hashes that grows, outside the heap, without an object for each and without copying. */

const chunkLength = 8_192;
const wordMax = 2 ** 32 - 1;

export interface Numbers {
  set(at: number, value: number): void;
  /** 0 where nothing was set. */
  get(at: number): number;
}

/** Neighbours are mostly near each other: as long as they are, one takes four bytes, its distance from the first that was set there; otherwise eight. */
interface Chunk {
  readonly base: number;
  /** `value - base + 1`; 0: not set. */
  readonly near: Uint32Array | null;
  readonly far: Float64Array | null;
}

export function createNumbers(): Numbers {
  const chunks: Chunk[] = [];
  return {
    set(at, value) {
      const [number, place] = [Math.floor(at / chunkLength), at % chunkLength];
      chunks[number] ??= { base: value, near: new Uint32Array(chunkLength), far: null };
      const distance = value - chunks[number].base + 1;
      if (chunks[number].near && !(distance >= 1 && distance <= wordMax)) chunks[number] = widened(chunks[number]);
      const { near, far } = chunks[number];
      if (near) near[place] = distance;
      if (far) far[place] = value;
    },
    get(at) {
      const chunk = chunks[Math.floor(at / chunkLength)];
      return chunk ? numberAt(chunk, at % chunkLength) : 0;
    },
  };
}

function numberAt({ base, near, far }: Chunk, place: number): number {
  if (far) return far[place] ?? 0;
  const distance = near?.[place] ?? 0;
  return distance === 0 ? 0 : base + distance - 1;
}

function widened(chunk: Chunk): Chunk {
  return { ...chunk, near: null, far: Float64Array.from({ length: chunkLength }, (_, place) => numberAt(chunk, place)) };
}

export interface HashList {
  /** `hash`: as long as the list's are. */
  set(at: number, hash: Uint8Array): void;
  /** A view of it; zeros where nothing was set. */
  get(at: number): Uint8Array;
}

/** Of hashes of so many bytes. */
export function createHashList(bytes: number): HashList {
  const chunks: Uint8Array[] = [];
  const none = new Uint8Array(bytes);
  return {
    set(at, hash) {
      const chunk = Math.floor(at / chunkLength);
      chunks[chunk] ??= new Uint8Array(chunkLength * bytes);
      chunks[chunk].set(hash, (at % chunkLength) * bytes);
    },
    get(at) {
      const start = (at % chunkLength) * bytes;
      return chunks[Math.floor(at / chunkLength)]?.subarray(start, start + bytes) ?? none;
    },
  };
}
