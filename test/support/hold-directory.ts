/** A process of its own that opens the embedded database in the directory given (or only takes its lock), says "open", and stays until it is told to close. */
import { lockDirectory } from "../../src/storage/directory-lock.ts";
import { openPglite } from "../../src/storage/pglite.ts";

const [directory = "", what = "database"] = process.argv.slice(2);
try {
  const lock = what === "lock-only" ? await lockDirectory(directory) : null;
  const database = lock ? null : await openPglite({ directory });
  process.stdout.write("open\n");
  process.stdin.once("data", async () => {
    await database?.close();
    process.exit(0);
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
