/** What it takes to verify a long export offline, in a process of its own with the command's own settings: hashing alone, signatures alone, all of it. */
import { spawnSync } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { formatTrust } from "../../src/audit/trust.ts";
import { createLongLog, type LongLogOptions } from "../support/long-log.ts";
import { shippedFlags, shippedVariables } from "../support/shipped-command.ts";

/** The JSON form. */
export interface LogVerify {
  readonly shape: string;
  readonly entries: number;
  readonly export_mb: number;
  /** Leaf hashes and the tree, out of the file. */
  readonly hashing_leaves_per_s: number;
  readonly signatures: number;
  readonly signatures_per_s: number;
  /** Everything, signatures among it. */
  readonly verified_entries_per_s: number;
  readonly seconds: number;
  /** SHA-256 over the file's bytes, and nothing else. */
  readonly baseline_seconds: number;
  /** The most that the process held. */
  readonly rss_mb: number;
}

/** `entries` is rounded to whole tiles. */
export async function measureLogVerify(entries: number): Promise<LogVerify[]> {
  return [
    await measureOneWriter(entries),
    await measureShape("a writer an entry, as on Workers", { size: wholeTiles(entries), flushSize: 1, writerPerFlush: true }),
  ];
}

export function measureOneWriter(entries: number): Promise<LogVerify> {
  return measureShape("flushes of 64, one writer", { size: wholeTiles(entries), flushSize: 64 });
}

function wholeTiles(entries: number): number {
  return Math.max(1, Math.round(entries / 256)) * 256;
}

async function measureShape(shape: string, options: LongLogOptions): Promise<LogVerify> {
  const directory = mkdtempSync(join(tmpdir(), "postern-log-verify-"));
  try {
    const log = await createLongLog(options);
    const files = { archive: join(directory, "log.tar"), trust: join(directory, "trust.json") };
    writeFileSync(files.trust, formatTrust(log.trust));
    await pipeline(Readable.fromWeb(log.bytes as Parameters<typeof Readable.fromWeb>[0]), createWriteStream(files.archive));
    const script = fileURLToPath(new URL("log-verify-process.ts", import.meta.url));
    const child = spawnSync(process.execPath, [...shippedFlags, script, files.archive, files.trust], {
      encoding: "utf8",
      env: { ...process.env, ...shippedVariables },
    });
    if (child.status !== 0) throw new Error(`the verifying process ended with ${child.status}: ${child.stderr}`);
    return { shape, ...JSON.parse(child.stdout) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
