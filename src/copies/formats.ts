/** The formats that a copy of the log can have, by name. */
import { cef } from "./cef.ts";
import type { CopyFormat } from "./copy.ts";
import { csv } from "./csv.ts";
import { ocsf } from "./ocsf.ts";
import { syslog } from "./syslog.ts";

export const formatNames = ["csv", "ocsf", "cef", "syslog"] as const;

/** `integrity`: OCSF 1.9 with its profile `record_integrity`. */
export type CopyFormats = Readonly<Record<(typeof formatNames)[number] | "integrity", CopyFormat>>;

/** `version`: this release, which some of them name. */
export function createCopyFormats(version: string): CopyFormats {
  return {
    csv,
    ocsf: ocsf({ version, integrity: false }),
    integrity: ocsf({ version, integrity: true }),
    cef: cef(version),
    syslog,
  };
}
