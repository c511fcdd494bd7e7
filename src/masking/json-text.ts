/**
 * JSON inside a text, as `payload$` names it: an object or a list, read losslessly, bounded like every document, no key twice.
 */
import { isJsonArray, isJsonObject, type Json, JsonSyntaxError, parseJson } from "../kernel/index.ts";

const innerCharactersMax = 1_048_576;

/** `null` = not JSON, a scalar, or more of it than anything that a policy names. */
export function readJsonText(text: string): Json {
  if (text.length > innerCharactersMax) return null;
  try {
    const value = parseJson(text);
    return isJsonArray(value) || isJsonObject(value) ? value : null;
  } catch (fault) {
    if (fault instanceof JsonSyntaxError) return null;
    throw fault;
  }
}
