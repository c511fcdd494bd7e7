/**
 * What PIPL 28 calls sensitive, and what no gateway should hold at all. Nothing of such a value is shown; of the sensitive ones at most what kind it is,
 * so that an agent knows why something is missing.
 */
import type { Json } from "../kernel/index.ts";

/** By class. */
export const sensitiveTexts = {
  sensitive: "[敏感]",
  health: "[敏感:健康]",
  religion: "[敏感:宗教]",
  biometrics: "[敏感:生物识别]",
  id_photo: "[敏感:证件照]",
  precise_location: "[敏感:精确位置]",
  minor: "[敏感:未成年人]",
} as const;

/** The class's name whatever the value is: its shape says nothing either. */
export function maskSensitive(name: keyof typeof sensitiveTexts): (value: Json) => string {
  return () => sensitiveTexts[name];
}
