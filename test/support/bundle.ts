/** An export held in memory, to look at and to tamper with. What verifies one never holds it. */
import { type Bundle, readBundle } from "../../src/audit/bundle.ts";
import { concat } from "../../src/crypto/index.ts";

/** By name, in the archive's order. */
export type Members = ReadonlyMap<string, Uint8Array>;

/** Throws ArchiveUnreadable. */
export async function membersOf(stream: ReadableStream<Uint8Array>): Promise<Map<string, Uint8Array>> {
  const members = new Map<string, Uint8Array>();
  for await (const { name, body } of readBundle(stream)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece.slice());
    members.set(name, concat(...pieces));
  }
  return members;
}

/** Members again as an export's reader meets them. */
export async function* bundleOf(members: Iterable<readonly [string, Uint8Array]>): Bundle {
  for (const [name, bytes] of members) yield { name, sizeBytes: bytes.length, body: one(bytes) };
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
