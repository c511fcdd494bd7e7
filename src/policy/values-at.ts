/** What a masked document holds at a policy's path, as somebody who expects it would write it down. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../kernel/index.ts";
import { parsePath, readJsonText } from "../masking/index.ts";

/** Of a path through lists or maps: the list of all that stands there, in order. `undefined` = nothing stands there, and nothing was withheld. */
export function valuesAt(document: JsonObject, path: string): Json | undefined {
  const steps = parsePath(path) ?? [];
  const found = steps.reduce<readonly Json[]>((values, step) => values.flatMap((value) => behind(value, step)), [document]);
  return steps.includes("[]") || steps.includes("{}") ? found : found[0];
}

function behind(value: Json, step: string): readonly Json[] {
  if (step === "[]") return isJsonArray(value) ? value : [];
  if (step === "{}") return isJsonObject(value) ? Object.values(value) : [];
  if (step === "$") return typeof value === "string" ? [readJsonText(value) ?? null] : [];
  const member = isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return member === undefined ? [] : [member];
}
