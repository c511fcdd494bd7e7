/** Where a sink stands, in words. */
import type { SinkStanding } from "./postgres.ts";

/** Without what the other side said: anybody may read it. */
export function describeStanding({ waiting, dead, failingForMs }: SinkStanding): string {
  const state = failingForMs === null ? "ok" : `failing for ${Math.ceil(failingForMs / 1_000)} s`;
  return `${state}, ${waiting} waiting, ${dead} dead letters`;
}
