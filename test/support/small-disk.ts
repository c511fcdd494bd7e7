/** A small disk of its own for a folder: a tmpfs, which a test fills to the last byte. Only root may mount one, and not everywhere. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, renameSync, rmdirSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const canMount = (() => {
  const at = mkdtempSync(join(tmpdir(), "postern-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", at], { stdio: "ignore" });
    execFileSync("umount", [at]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(at);
  }
})();

/** `folder`, with what lies in it, from now on on a disk of so many megabytes. Answers how that ends. */
export function moveToSmallDisk(folder: string, megabytes: number): () => void {
  const { uid, gid, mode } = statSync(folder);
  const moved = `${folder}.moved`;
  renameSync(folder, moved);
  execFileSync("mkdir", [folder]);
  const options = `size=${megabytes}m,uid=${uid},gid=${gid},mode=${(mode & 0o777).toString(8)}`;
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
  for (const name of readdirSync(moved)) execFileSync("cp", ["-a", join(moved, name), folder]);
  rmSync(moved, { recursive: true });
  return () => execFileSync("umount", [folder]);
}

/** Takes what is left of the disk that `folder` lies on. Answers how it is given back. */
export function fillDisk(folder: string): () => void {
  const ballast = join(folder, "ballast");
  const file = openSync(ballast, "w");
  const chunk = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(file, chunk);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(file);
  }
  return () => rmSync(ballast);
}
