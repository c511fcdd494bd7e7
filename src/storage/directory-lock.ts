/**
 * One process per embedded directory: two that open it lose rows without an error (PGlite has no lock of its own).
 * The lock is a file beside the directory, `db` → `db.lock`, made with O_EXCL, holding the owner's pid and start time.
 * It guards against mistakes of operators on one machine; it is no guard across machines that share a disk.
 */
import { closeSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Another living process has the directory open. */
export class DirectoryInUse extends Error {
  constructor(directory: string, pid: number) {
    super(`the database directory ${directory} is in use by process ${pid}; stop it first`);
    this.name = "DirectoryInUse";
  }
}

export interface DirectoryLock {
  /** Gives the directory free. A second call does nothing. */
  release(): void;
}

interface Owner {
  readonly text: string;
  readonly pid: number;
  /** Of the process, in clock ticks since boot; empty where the system does not tell. Tells a reused pid from the owner. */
  readonly started: string;
}

const attemptsMax = 8;
/** Longer than any step of another process that takes over the same dead lock. */
const takeoverPauseMs = 100;

/** Takes the lock, also over a dead process. Throws `DirectoryInUse`. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const path = `${resolve(directory)}.lock`;
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  mkdirSync(dirname(path), { recursive: true });
  let takeover = false;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (create(path, mine)) {
      // Several may take over one dead lock at once, and the last may have moved ours aside before it saw whose it was.
      if (takeover) await new Promise((wake) => setTimeout(wake, takeoverPauseMs));
      if (read(path)?.text === mine) return { release: () => release(path, mine) };
    }
    const owner = read(path);
    if (owner && isAlive(owner)) throw new DirectoryInUse(directory, owner.pid);
    if (owner) discard(path, owner);
    takeover = true;
  }
  throw new Error(`the lock ${path} cannot be taken; remove it if no process uses the directory`);
}

/** The file appears under its name only when its text is complete: a reader never meets half a pid. */
function create(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  const file = openSync(draft, "wx", 0o600);
  writeSync(file, text);
  closeSync(file);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

/** `null` = gone meanwhile. A text that is no owner's counts as a dead owner's. */
function read(path: string): Owner | null {
  try {
    const text = readFileSync(path, "utf8");
    const [pid = "", started = ""] = text.trim().split(" ");
    return { text, pid: Number(pid), started };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function isAlive(owner: Owner): boolean {
  if (!Number.isSafeInteger(owner.pid) || owner.pid <= 0) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (codeOf(error) === "ESRCH") return false;
  }
  return owner.started === startOf(owner.pid);
}

/** Field 22 of /proc/PID/stat, counted after the last `)`: a process may call itself anything. Empty on systems without it. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** Moves a dead owner's file aside, and puts it back where another process took the lock in between. */
function discard(path: string, dead: Owner): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const moved = read(aside);
  if (moved && moved.text !== dead.text) linkBack(aside, path);
  rmSync(aside, { force: true });
}

function linkBack(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

function release(path: string, mine: string): void {
  if (read(path)?.text === mine) rmSync(path, { force: true });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
