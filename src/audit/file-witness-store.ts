/**
 * A witness's heads as files: a directory a log (SHA-256 of its origin, hex), in it the head that came after each size. The last one counts.
 * A file is made under its name once and by one alone, so that of two requests from the same size one wins, whatever process each is in.
 */
import { link, mkdir, open, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { fromBase64, randomBytes, sha256, toBase64, toHex, utf8 } from "../crypto/index.ts";
import type { WitnessedHead, WitnessStore } from "./witness.ts";

const attemptsMax = 5;
const sizeDigits = 16;

export function createFileWitnessStore(directory: string): WitnessStore {
  const placeOf = (origin: string) => join(directory, toHex(sha256(utf8(origin))));
  return {
    async read(origin) {
      const place = placeOf(origin);
      // Between the listing and the reading a later one may have taken its place.
      for (let attempt = 1; ; attempt++) {
        const newest = (await namesIn(place)).at(-1);
        if (newest === undefined) return null;
        const text = await readFile(join(place, newest), "utf8").catch(unlessCode("ENOENT"));
        if (text !== null) return parseHead(text, origin);
        if (attempt === attemptsMax) throw new Error("the witness's state changes faster than it can be read");
      }
    },
    /** Crash order: the head is on disk before it has its name, its name before anybody is told, and the earlier ones go last. */
    async replace(origin, seen, next) {
      const place = placeOf(origin);
      await mkdir(place, { recursive: true, mode: 0o700 });
      const name = String(seen).padStart(sizeDigits, "0");
      const draft = join(place, `${name}.${toHex(randomBytes(8))}`);
      const file = await open(draft, "wx", 0o600);
      try {
        await file.write(`${origin}\n${next.size}\n${toBase64(next.root)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      const taken = await link(draft, join(place, name)).then(() => "", unlessCode("EEXIST"));
      await unlink(draft);
      if (taken === null) return false;
      await syncDirectory(place);
      await syncDirectory(directory);
      const names = await namesIn(place);
      // A later one stands already: the one with this name had come and gone, and its place was free again.
      if (names.at(-1) !== name) {
        await unlink(join(place, name)).catch(unlessCode("ENOENT"));
        return false;
      }
      for (const earlier of names.slice(0, -1)) await unlink(join(place, earlier)).catch(unlessCode("ENOENT"));
      return true;
    },
  };
}

/** Ascending by the size that each follows; a draft that a crash left behind is none of them. */
async function namesIn(place: string): Promise<string[]> {
  const names = (await readdir(place).catch(unlessCode("ENOENT"))) ?? [];
  return names.filter((name) => /^[0-9]{16}$/.test(name)).sort();
}

/** Throws: what cannot be read must not pass for a log that was never seen. */
function parseHead(text: string, origin: string): WitnessedHead {
  const [named, size = "", root = "", ...rest] = text.split("\n");
  if (named !== origin || !/^(0|[1-9][0-9]{0,15})$/.test(size) || rest.length !== 1)
    throw new Error("the witness's state holds what is not a head");
  return { size: Number(size), root: fromBase64(root) };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unlessCode(code: string): (error: unknown) => null {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === code) return null;
    throw error;
  };
}
