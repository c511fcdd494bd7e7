/** No more space for Postgres: rows for `fire.ts`. */
import { join } from "node:path";
import type { Fault } from "./fire.ts";
import type { House } from "./house.ts";
import { limit } from "./processes.ts";
import { fillDisk, moveToSmallDisk } from "./small-disk.ts";
import { until } from "./until.ts";

/** In a house whose data and whose log of transactions lie on small disks (`onSmallDisks`). */
export const faultsOfDisks: readonly Fault[] = [
  {
    name: "the disk of Postgres' data is full",
    inflict: ({ cluster }) => fillDisk(cluster.dataDirectory),
    // Until a page is full, there is room in it.
    late: null,
    meanwhile: ["503", "200"],
    lastsMs: 6_000,
  },
  {
    name: "the disk of Postgres' log of transactions is full, for which it ends",
    async inflict(house) {
      const empty = fillDisk(walOf(house));
      await until("its end", () => useUpWal(house).then(() => !house.cluster.runs()), 60_000);
      return async () => {
        empty();
        await house.cluster.start();
      };
    },
    late: "503",
    meanwhile: ["200"],
  },
  {
    name: "Postgres may write no file any further (RLIMIT_FSIZE), for which it ends",
    async inflict(house) {
      limit(house.cluster.pid(), "fsize", 8_192);
      await until("its end", () => useUpWal(house).then(() => !house.cluster.runs()), 60_000);
      return () => house.cluster.start();
    },
    late: "503",
    meanwhile: ["200"],
  },
];

export function onSmallDisks(dataDirectory: string): () => void {
  const ends = [moveToSmallDisk(dataDirectory, 160), moveToSmallDisk(join(dataDirectory, "pg_wal"), 128)];
  return () => {
    for (const end of ends.reverse()) end();
  };
}

function walOf({ cluster }: House): string {
  return join(cluster.dataDirectory, "pg_wal");
}

/** As long as it answers. */
function useUpWal({ owner }: House): Promise<unknown> {
  return owner.script("select pg_switch_wal(), pg_logical_emit_message(true, 'fire', 'on'), pg_switch_wal()").catch(() => undefined);
}
