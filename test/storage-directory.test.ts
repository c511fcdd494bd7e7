/** One process per embedded directory. The other processes here are real ones. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { DirectoryInUse, lockDirectory } from "../src/storage/directory-lock.ts";
import { openPglite } from "../src/storage/pglite.ts";

const home = mkdtempSync(join(tmpdir(), "postern-directory-"));

afterAll(() => rmSync(home, { recursive: true, force: true }));

describe("an embedded directory", () => {
  const directory = join(home, "db");

  it("keeps its rows over a clean close, and leaves no lock behind", async () => {
    const first = await openPglite({ directory });
    await first.script("create table kept (n int); insert into kept values (7);");
    expect(existsSync(`${directory}.lock`)).toBe(true);
    await first.close();
    expect(existsSync(`${directory}.lock`)).toBe(false);
    const second = await openPglite({ directory });
    expect(await second.query("select n from kept")).toEqual([[7]]);
    await second.close();
    await second.close();
  });

  it("refuses a second process with one clear line, and again a third", async () => {
    const database = await openPglite({ directory });
    for (const _ of [2, 3]) {
      const other = await hold(directory);
      expect(other.code).toBe(1);
      expect(other.said).toBe(`the database directory ${directory} is in use by process ${process.pid}; stop it first\n`);
    }
    await database.close();
  });

  it("refuses a second open in the same process", async () => {
    const database = await openPglite({ directory });
    await expect(openPglite({ directory })).rejects.toBeInstanceOf(DirectoryInUse);
    await expect(openPglite({ directory: `${home}/./db/` })).rejects.toBeInstanceOf(DirectoryInUse);
    await database.close();
  });

  it("is taken over from a process that was killed, with what it had committed", async () => {
    const other = await hold(directory);
    expect(other.code).toBeNull();
    await expect(openPglite({ directory })).rejects.toThrow(`in use by process ${other.child.pid}`);
    other.child.kill("SIGKILL");
    await new Promise((resolve) => other.child.once("exit", resolve));
    const database = await openPglite({ directory });
    expect(await database.query("select 1")).toEqual([[1]]);
    await database.close();
  });

  it("is given free by a process that closes it", async () => {
    const other = await hold(directory);
    other.child.stdin.write("close\n");
    expect(await new Promise((resolve) => other.child.once("exit", resolve))).toBe(0);
    await (await openPglite({ directory })).close();
  });
});

describe("a lock file", () => {
  const directory = join(home, "nothing");

  beforeEach(() => rmSync(`${directory}.lock`, { force: true }));

  it("of a process whose pid was given to another one is stale", async () => {
    writeFileSync(`${directory}.lock`, `${process.pid} 1\n`);
    const lock = await lockDirectory(directory);
    expect(readFileSync(`${directory}.lock`, "utf8")).toMatch(new RegExp(`^${process.pid} [0-9]+\n$`));
    lock.release();
  });

  it.each(["", "nonsense\n", "-1 5\n", "99999999 1\n"])("with the text %j is stale", async (text) => {
    writeFileSync(`${directory}.lock`, text);
    (await lockDirectory(directory)).release();
    expect(existsSync(`${directory}.lock`)).toBe(false);
  });

  it("goes to exactly one of many that take it over at once", async () => {
    for (let round = 0; round < 3; round++) {
      writeFileSync(`${directory}.lock`, "99999999 1\n");
      const all = await Promise.all(Array.from({ length: 6 }, () => hold(directory, "lock-only")));
      expect(all.filter(({ code }) => code === null)).toHaveLength(1);
      for (const { child } of all) child.kill("SIGKILL");
      await until(() => all.every(({ child }) => child.exitCode !== null || child.signalCode !== null));
    }
  });

  it("is not removed by a release that is not its owner's", async () => {
    const lock = await lockDirectory(directory);
    writeFileSync(`${directory}.lock`, "1 1\n");
    lock.release();
    expect(existsSync(`${directory}.lock`)).toBe(true);
  });
});

interface Held {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** `null` = it holds the directory and runs. */
  readonly code: number | null;
  readonly said: string;
}

async function hold(path: string, what = "database"): Promise<Held> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("support/hold-directory.ts", import.meta.url)), path, what], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  const code = await new Promise<number | null>((resolve) => {
    child.stdout.once("data", () => resolve(null));
    child.once("close", resolve);
  });
  return { child, code, said };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
