/**
 * Reads a tar (POSIX.1-1988 ustar) as it streams by, and only what an export is: plain files, one after another, two blocks of zeros, the end.
 * Nothing is kept but the block at hand, whatever sizes the headers claim. Whatever else a tar may hold is refused.
 */
import { equalBytes, fromUtf8 } from "../crypto/index.ts";

export interface Member {
  readonly name: string;
  /** As its header claims. */
  readonly sizeBytes: number;
  /** Once, and before the next member is asked for; what is not taken is passed over. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** The bytes are not an export's archive: no entry can be judged. `message` is one line without a value out of the file. */
export class ArchiveUnreadable extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ArchiveUnreadable";
  }
}

const blockBytes = 512;
const checksumAt = 148;
const checksumBytes = 8;
const plainFile = "0".charCodeAt(0);
const emptyBlock = new Uint8Array(blockBytes);

/** Throws ArchiveUnreadable where the archive is empty, compressed, damaged, cut short, or goes on behind its end. */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Member> {
  const bytes = byteReader(chunks);
  for (let files = 0; ; files++) {
    const header = await bytes.exactly(blockBytes);
    if (header === null) throw cutShort(bytes.taken());
    if (equalBytes(header, emptyBlock)) break;
    const { name, sizeBytes } = parseHeader(header, files === 0);
    let left = sizeBytes;
    const body = (async function* () {
      while (left > 0) {
        const piece = await bytes.some(left);
        if (piece === null) throw cutShort(bytes.taken());
        left -= piece.length;
        yield piece;
      }
    })();
    yield { name, sizeBytes, body };
    for await (const _ of body);
    const padding = await bytes.exactly((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
    if (padding === null) throw cutShort(bytes.taken());
    if (padding.some((byte) => byte !== 0)) throw damaged();
  }
  const last = await bytes.exactly(blockBytes);
  if (last === null) throw cutShort(bytes.taken());
  if (!equalBytes(last, emptyBlock)) throw damaged();
  if ((await bytes.some(1)) !== null) throw new ArchiveUnreadable("the archive goes on behind its end");
}

function parseHeader(header: Uint8Array, isFirst: boolean): { readonly name: string; readonly sizeBytes: number } {
  if (isFirst && header[0] === 0x1f && header[1] === 0x8b)
    throw new ArchiveUnreadable("the archive is compressed; unpack it to the tar first");
  const isTar = textAt(header, 257, 5) === "ustar" && octalAt(header, checksumAt, checksumBytes) === checksumOf(header);
  if (!isTar) throw isFirst ? new ArchiveUnreadable("this is not a tar archive") : damaged();
  const sizeBytes = octalAt(header, 124, 12);
  const name = textAt(header, 0, 100);
  if (sizeBytes === null || name === null || textAt(header, 345, 155) !== "") throw damaged();
  if (header[156] !== plainFile) throw new ArchiveUnreadable("the archive holds something else than plain files");
  return { name, sizeBytes };
}

/** The sum of the header's bytes, those of the checksum itself as spaces. */
function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= checksumAt && at < checksumAt + checksumBytes ? 0x20 : byte), 0);
}

/** Up to its first NUL. `null` = not UTF-8, or something behind the NUL. */
function textAt(header: Uint8Array, at: number, length: number): string | null {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  if (end >= 0 && field.subarray(end).some((byte) => byte !== 0)) return null;
  try {
    return fromUtf8(end < 0 ? field : field.subarray(0, end));
  } catch {
    return null;
  }
}

/** `null` = not an octal number that we can count. */
function octalAt(header: Uint8Array, at: number, length: number): number | null {
  const [, digits] = /^([0-7]+)[ \0]*$/.exec(String.fromCharCode(...header.subarray(at, at + length))) ?? [];
  return digits === undefined ? null : Number.parseInt(digits, 8);
}

function damaged(): ArchiveUnreadable {
  return new ArchiveUnreadable("the archive is damaged");
}

function cutShort(bytesTaken: number): ArchiveUnreadable {
  return new ArchiveUnreadable(bytesTaken === 0 ? "the archive is empty" : `the archive is cut short after ${bytesTaken} bytes`);
}

interface ByteReader {
  /** Up to `max` bytes of what comes next; `null` = the end. */
  some(max: number): Promise<Uint8Array | null>;
  /** `null` = fewer are left. */
  exactly(length: number): Promise<Uint8Array | null>;
  taken(): number;
}

function byteReader(chunks: AsyncIterable<Uint8Array>): ByteReader {
  const source = chunks[Symbol.asyncIterator]();
  let rest = new Uint8Array(0);
  let taken = 0;
  const some = async (max: number) => {
    while (rest.length === 0) {
      const next = await source.next();
      if (next.done) return null;
      rest = next.value as Uint8Array<ArrayBuffer>;
    }
    const piece = rest.subarray(0, max);
    rest = rest.subarray(piece.length);
    taken += piece.length;
    return piece;
  };
  return {
    some,
    async exactly(length) {
      if (length <= rest.length) return (length === 0 ? new Uint8Array(0) : await some(length)) ?? null;
      const whole = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const piece = await some(length - at);
        if (piece === null) return null;
        whole.set(piece, at);
        at += piece.length;
      }
      return whole;
    },
    taken: () => taken,
  };
}
