/** Base64 that `fromBase64` takes: padded, and with nothing in the bits that are left over (RFC 4648 §3.5). */
import * as z from "zod";
import { fromBase64 } from "./bytes.ts";

export const canonicalBase64 = z.base64().refine(isCanonical);

function isCanonical(text: string): boolean {
  try {
    fromBase64(text);
    return true;
  } catch {
    return false;
  }
}
