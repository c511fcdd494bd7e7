/**
 * The anchor as files: a directory a log, in it a file named by the head's epoch and size; the largest counts. It belongs on another volume than the database,
 * in no backup that is restored together with it. Any number of processes may share it: nothing is overwritten, so nothing moves back.
 */
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes, toHex } from "../crypto/index.ts";
import type { Anchor, AnchoredHead } from "./anchor.ts";
import { formatAnchor, parseAnchor } from "./anchor-text.ts";
import { readOrigin } from "./epoch.ts";

const attemptsMax = 5;
const epochDigits = 4;
const sizeDigits = 16;

export function createFileAnchor(directory: string): Anchor {
  return {
    async read(log) {
      // Between the listing and the reading another process may have put a longer one in its place.
      for (let attempt = 1; ; attempt++) {
        const newest = (await headsIn(join(directory, log))).at(-1);
        if (newest === undefined) return null;
        const text = await readFile(join(directory, log, newest), "utf8").catch(unlessAbsent);
        if (text !== null) return parseAnchor(text);
        if (attempt === attemptsMax) throw new Error("the anchor changes faster than it can be read");
      }
    },
    async logs() {
      return (await readdir(directory).catch(unlessAbsent)) ?? [];
    },
    /** Crash order: the whole file is on disk before it has its name, and its name before the shorter ones go. */
    async advance(log, head) {
      const place = join(directory, log);
      await mkdir(place, { recursive: true, mode: 0o700 });
      const name = nameOf(head);
      const before = await headsIn(place);
      if ((before.at(-1) ?? "") >= name) return;
      const draft = join(place, `${name}.${toHex(randomBytes(8))}`);
      const file = await open(draft, "wx", 0o600);
      try {
        await file.write(formatAnchor(head));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, join(place, name));
      await syncDirectory(place);
      if (before.length === 0) await syncDirectory(directory);
      for (const shorter of before) await unlink(join(place, shorter)).catch(unlessAbsent);
    },
  };
}

function nameOf({ origin, range }: AnchoredHead): string {
  return `${String(readOrigin(origin).epoch).padStart(epochDigits, "0")}-${String(range.size).padStart(sizeDigits, "0")}`;
}

/** Ascending; a draft that a crash left behind is none of them. */
async function headsIn(place: string): Promise<string[]> {
  const names = (await readdir(place).catch(unlessAbsent)) ?? [];
  return names.filter((name) => /^[0-9]{4}-[0-9]{16}$/.test(name)).sort();
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unlessAbsent(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
