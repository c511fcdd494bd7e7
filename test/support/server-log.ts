/** What a Postgres was sent, as its own log tells it: complete, whoever sent it, the driver's own statements included. */

import { randomUUID } from "node:crypto";
import type { Queryable } from "../../src/storage/index.ts";

/** For `startCluster`: every statement and every parameter is logged, with the role in front. */
export const logEverything = ["log_statement=all", "log_error_verbosity=verbose", "log_line_prefix=%u|"] as const;

export interface LoggedStatement {
  readonly role: string;
  /** `simple`: several in one text, without parameters, as scripts go. */
  readonly protocol: "simple" | "extended";
  readonly text: string;
}

export interface ServerLog {
  readonly hear: (chunk: Buffer) => void;
  /** Everything up to now: asks `owner` for a statement, and waits until it was heard. */
  bytes(owner: Queryable): Promise<Uint8Array>;
  statements(owner: Queryable): Promise<LoggedStatement[]>;
}

export function createServerLog(): ServerLog {
  const chunks: Buffer[] = [];
  const bytes = async (owner: Queryable) => {
    const mark = randomUUID();
    await owner.query(`select '${mark}'`);
    while (!Buffer.concat(chunks).includes(mark)) await new Promise((resolve) => setTimeout(resolve, 10));
    return Buffer.concat(chunks);
  };
  return {
    hear: (chunk) => void chunks.push(chunk),
    bytes,
    statements: async (owner) => statementsOf((await bytes(owner)).toString("utf8")),
  };
}

/** A message's later lines are indented. */
function statementsOf(log: string): LoggedStatement[] {
  return log.split(/\n(?!\t)/).flatMap((message) => {
    const [, role, how, text] = /^(\w*)\|LOG: {2}00000: (statement|execute [^:]+): (.*)$/s.exec(message) ?? [];
    if (role === undefined || how === undefined || text === undefined) return [];
    return [{ role, protocol: how === "statement" ? "simple" : "extended", text: text.replaceAll("\n\t", "\n") }];
  });
}
