export type { Copied, CopyFormat } from "./copy.ts";
export { createElasticSink } from "./elastic-bulk.ts";
export { type CopyFormats, createCopyFormats, formatNames } from "./formats.ts";
export { type SinkStanding, selectStanding } from "./postgres.ts";
export { createPump, type Pump } from "./pump.ts";
export type { Sink } from "./sink.ts";
export { createSplunkSink } from "./splunk-hec.ts";
export { describeStanding } from "./standing.ts";
