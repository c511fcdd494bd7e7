/**
 * Number plates of mainland China: `浙A**55T`. Another country's, or something else: stars.
 */
import { compact } from "./identity-number.ts";

export const hiddenPlate = "****";
const pattern = /^[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-Z][A-Z0-9]{4,5}[A-Z0-9挂学警港澳领]$/;

/** Province, city letter and the last three: two or three characters stay hidden behind the same two stars. */
export function maskPlate(text: string): string {
  const plate = readPlate(text);
  return plate === null ? hiddenPlate : `${plate.slice(0, 2)}**${plate.slice(-3)}`;
}

export function maskPlateStrictly(text: string): string {
  const plate = readPlate(text);
  return plate === null ? hiddenPlate : `${plate.slice(0, 2)}${hiddenPlate}`;
}

/** Without spaces and dots; `null` = not of the form. */
export function readPlate(text: string): string | null {
  const plate = compact(text)
    .replace(/[·•.・]/g, "")
    .toUpperCase();
  return pattern.test(plate) ? plate : null;
}
