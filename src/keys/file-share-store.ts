/**
 * Share B as one file per contract and epoch, in a directory outside the database that is never backed up.
 * Trusted to forget: whoever can restore this directory and the database can undo a purge.
 */
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { fromUtf8, keyBytes, utf8 } from "../crypto/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { type Deletion, KeysUnavailable, type ShareStore } from "./ports.ts";

/** A file of this name says since when. */
const tombstone = ".purged";
/** Behind contract and job: a note of what the job deleted. */
const noted = ".deleted";

export function createFileShareStore(directory: string): ShareStore {
  const fileOf = (contract: ContractId, epoch: number) => join(directory, `${contract}.${epoch}.share`);
  const tombstoneOf = (contract: string) => join(directory, `${contract}${tombstone}`);
  const read = async (file: string): Promise<Uint8Array | null> => {
    try {
      return new Uint8Array(await readFile(file));
    } catch (error) {
      if (isAbsent(error)) return null;
      throw new KeysUnavailable("the share directory cannot be read", error);
    }
  };
  const write = async (file: string, content: Uint8Array): Promise<void> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const fresh = await open(`${file}.new`, "w", 0o600);
    try {
      await fresh.write(content);
      await fresh.sync();
    } finally {
      await fresh.close();
    }
    await rename(`${file}.new`, file);
    await syncDirectory(directory);
  };
  const list = async (suffix: string): Promise<string[]> => {
    const names = await readdir(directory).catch((error: unknown) => {
      if (isAbsent(error)) return [];
      throw new KeysUnavailable("the share directory cannot be read", error);
    });
    return names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  };
  return {
    async note({ contract, job, what }) {
      const file = join(directory, `${contract}.${job}${noted}`);
      if ((await read(file)) === null) await write(file, utf8(what));
    },
    async deletions() {
      const deletions: Deletion[] = [];
      for (const name of await list(noted)) {
        // A job's id has no dot.
        const at = name.lastIndexOf(".");
        const what = await read(join(directory, `${name}${noted}`));
        if (what) deletions.push({ contract: name.slice(0, at) as ContractId, job: name.slice(at + 1), what: fromUtf8(what) });
      }
      return deletions.sort((one, other) => (one.job < other.job ? -1 : 1));
    },
    async put(contract, epoch, share) {
      if (await read(tombstoneOf(contract))) throw new KeysUnavailable("the id of a purged contract is never used again");
      await write(fileOf(contract, epoch), share);
    },
    get: (contract, epoch) => read(fileOf(contract, epoch)),
    async destroy(contract, epoch) {
      const file = fileOf(contract, epoch);
      try {
        await overwrite(file);
        await unlink(file);
      } catch (error) {
        if (!isAbsent(error)) throw new KeysUnavailable("the share cannot be destroyed", error);
      }
      await syncDirectory(directory);
    },
    async bury(contract) {
      const file = tombstoneOf(contract);
      if ((await read(file)) === null) await write(file, utf8(new Date().toISOString()));
      const notes = (await list(noted)).filter((name) => name.slice(0, name.lastIndexOf(".")) === contract);
      for (const name of notes) await unlink(join(directory, `${name}${noted}`)).catch(() => undefined);
    },
    async buried() {
      const dates = (await list(tombstone)).map(
        async (contract) => [contract, fromUtf8((await read(tombstoneOf(contract))) ?? new Uint8Array())] as const,
      );
      return new Map(await Promise.all(dates));
    },
  };
}

/** The first file that holds no share: cut short, or wiped and left. `null` = all do. Never what is in it. */
export async function unfitShareFile(directory: string): Promise<string | null> {
  const names = await readdir(directory).catch((error: unknown) => (isAbsent(error) ? [] : Promise.reject(error)));
  for (const name of names.filter((found) => found.endsWith(".share")).sort()) {
    const share = await readFile(join(directory, name));
    const isFit = share.length === keyBytes && share.some((byte) => byte !== share[0]);
    share.fill(0);
    if (!isFit) return join(directory, name);
  }
  return null;
}

/** Best effort against a later look at the disk; file systems may keep the old block, which is why no backup may cover this directory. */
async function overwrite(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    const { size } = await handle.stat();
    await handle.write(new Uint8Array(size), 0, size, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
