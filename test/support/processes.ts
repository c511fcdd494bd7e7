/**
 * What is done to a process and all that it started, by its pid: kill, stop, continue, take away what it may use, and look at what it uses. Linux: it reads /proc.
 * A test that stops a process must continue or kill it before its end.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { until } from "./until.ts";

/** `pid` and everything under it, parents first. */
function treeOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (const member of tree) tree.push(...(children.get(member) ?? []));
  return tree;
}

/** SIGKILL to all of it at one moment: the parent is stopped first, so that it neither replaces nor tidies up what dies. */
export async function killTree(pid: number): Promise<void> {
  signal(pid, "SIGSTOP");
  const [parent = pid, ...children] = treeOf(pid);
  for (const member of [...children, parent]) signal(member, "SIGKILL");
  await until(`the end of process ${pid}`, () => [parent, ...children].every((member) => !isRunning(member)));
}

/** SIGSTOP: it keeps its sockets and answers nobody. */
export function stopTree(pid: number): void {
  for (const member of treeOf(pid)) signal(member, "SIGSTOP");
}

export function continueTree(pid: number): void {
  for (const member of treeOf(pid)) signal(member, "SIGCONT");
}

/** Resident memory of a process. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory`);
  return Number(kilobytes) * 1024;
}

/** Files, sockets and pipes that a process has open. */
export function descriptorsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/fd`).map(Number);
}

/** Sets a soft limit of a running process and all that it started, as `ulimit -S` would have before its start; answers how to lift it. */
export function limit(pid: number, what: "nofile" | "fsize", most: number): () => void {
  // As the process' own user: not every root may look into another's.
  const { uid, gid } = statSync(`/proc/${pid}`);
  const user = process.getuid?.() === 0 ? { uid, gid } : {};
  const prlimit = (of: number, ...words: string[]) =>
    execFileSync("prlimit", ["--pid", String(of), ...words], { encoding: "utf8", ...user });
  const before = prlimit(pid, "--noheadings", "--raw", "--output=SOFT", `--${what}`).trim();
  const set = (value: number | string) => {
    for (const member of treeOf(pid)) {
      try {
        prlimit(member, `--${what}=${value}:`);
      } catch (error) {
        if (isRunning(member)) throw error;
      }
    }
  };
  set(most);
  return () => set(before);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** A zombie is not: it holds nothing any more, whether or not its parent has looked. */
function isRunning(pid: number): boolean {
  const [state] = statOf(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

function parentOf(pid: number): number | null {
  const [, parent] = statOf(pid);
  return parent === undefined ? null : Number(parent);
}

/** State, parent and the rest, counted after the last `)`: a process may call itself anything. Empty where it is gone. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}
