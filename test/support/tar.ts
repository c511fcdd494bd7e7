/** An archive's members by name, read with the archive library alone. */
import { unpackTar } from "modern-tar";

export async function unpack(answer: Response): Promise<Map<string, Uint8Array>> {
  const members = await unpackTar(new Uint8Array(await answer.arrayBuffer()));
  return new Map(members.map(({ header, data }) => [header.name, data ?? new Uint8Array(0)]));
}
