/** Moves keys from one root key to another, slowly, until it is killed or nothing is left: `node root-move-process.ts DATABASE_URL FROM TO`, keys in base64. */
import { fromBase64 } from "../../src/crypto/index.ts";
import { nodeAead } from "../../src/crypto/node-aead.ts";
import { createRootKey, joinRootKeys, rewrapRoot } from "../../src/keys/index.ts";
import { openPostgres } from "../../src/storage/postgres.ts";

const [url = "", from = "", to = ""] = process.argv.slice(2);
const database = openPostgres({ url, poolSize: 1, queueMax: 100, deadlineMs: 10_000, applicationName: "postern-keeper" });
const [former, next] = [createRootKey(nodeAead, fromBase64(from)), createRootKey(nodeAead, fromBase64(to))];
const both = joinRootKeys(next, former);
process.stdout.write("begun\n");
await rewrapRoot(
  database,
  {
    ...both,
    async wrap(context, key) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return both.wrap(context, key);
    },
  },
  former.names[0] ?? "",
  () => false,
);
await database.close();
