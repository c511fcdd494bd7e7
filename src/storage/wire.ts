/**
 * Parameters as Postgres' text, the same for both drivers: the server infers every type from the statement, no driver guesses.
 */
import type { Param } from "./database.ts";

/** bytea in hex form, booleans as `true` and `false`, numbers in decimal. */
export function wireText(param: Param): string | null {
  if (typeof param === "string" || param === null) return param;
  if (param instanceof Uint8Array) return `\\x${Buffer.from(param.buffer, param.byteOffset, param.byteLength).toString("hex")}`;
  return String(param);
}

/** The bytes of a bytea in hex form; a plain Uint8Array over memory of its own. */
export function bytesFromWire(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length - 2) / 2);
  Buffer.from(bytes.buffer).write(text.slice(2), "hex");
  return bytes;
}

/** Types whose cells stay Postgres' own text: bigint, date and time types, numeric, json, jsonb. */
export const textTypes = [20, 114, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 3802] as const;

export const byteaType = 17;
