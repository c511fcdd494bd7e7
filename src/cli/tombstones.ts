/** `postern tombstones`: after a restore, what the database has alive that was purged since its backup; and with --replay, purges it again. */
import { readEnvironment } from "../config.ts";
import { loadOperatorFile } from "../operator-file.ts";
import { command, jsonFlag } from "./command.ts";
import { columns, print, printJson, suggest } from "./output.ts";

export const tombstones = command({
  meta: { description: "After a restore: what was purged and is there again; --replay purges it once more" },
  examples: ["npx postern tombstones", "npx postern tombstones --replay"],
  args: {
    replay: { type: "boolean", description: "Delete it again, for good; without it nothing changes" },
    ...jsonFlag,
  },
  async run({ args }) {
    const environment = readEnvironment(process.env);
    const operators = await loadOperatorFile(environment);
    const [{ openIdleKeeper }, { planReplay, replayTombstones }, { replayDeletions, selectUndone }] = await Promise.all([
      import("../node.ts"),
      import("../purge/index.ts"),
      import("../erasure/index.ts"),
    ]);
    const { keeper, close } = await openIdleKeeper({ environment, operators });
    try {
      const replays = await (args.replay ? replayTombstones(keeper.purge) : planReplay(keeper.purge));
      const deletions = await (args.replay ? replayDeletions(keeper.purge) : selectUndone(keeper.purge.database, keeper.purge.shares));
      if (args.json) return printJson({ replayed: args.replay === true, contracts: replays, deletions });
      if (replays.length + deletions.length === 0) return print("nothing that was purged is alive in this database");
      print(args.replay ? "purged again:" : "purged, and alive again:");
      if (deletions.length > 0)
        print(
          columns(
            deletions.map(({ contract, job, what }) => [`  ${contract}`, "subject" in what ? "an erasure" : "what was too old", job]),
          ),
        );
      const rowsOf = (rows: Readonly<Record<string, number>>) => Object.values(rows).reduce((sum, count) => sum + count, 0);
      print(
        columns(replays.map(({ contract, state, buried, rows }) => [`  ${contract}`, state, `purged ${buried}`, `${rowsOf(rows)} rows`])),
      );
      suggest(args.replay ? "npx postern serve" : "npx postern tombstones --replay");
    } finally {
      await close();
    }
  },
});
