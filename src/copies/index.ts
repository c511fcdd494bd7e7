export type { Copied, CopyFormat } from "./copy.ts";
export { type CopyFormats, createCopyFormats, formatNames } from "./formats.ts";
