/** The root key as the gateway tells an operator of it, and `postern keys rewrap-root`. Never a key. */
import * as z from "zod";
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, jsonFlag } from "./command.ts";
import { confirmed, confirmFlag } from "./confirmed.ts";
import { exitCodes } from "./failure.ts";
import { columns, note, plain, print, printJson, suggest } from "./output.ts";
import { patiently } from "./patience.ts";
import { createProgress } from "./progress.ts";

const path = "/v1/root-key";
const standingSchema = z.looseObject({
  root_key: z.string(),
  beside: z.string().nullable(),
  wrapped: z.array(z.object({ root_key: z.string(), shares: z.int(), log_keys: z.int() })),
  left: z.int(),
  foreign: z.int(),
  may_change_log_keys: z.boolean(),
});
type Standing = z.infer<typeof standingSchema>;
const movedSchema = standingSchema.extend({ moved: z.int(), stuck: z.array(z.string()) });

type Flags = { readonly as?: string | undefined; readonly json?: boolean | undefined };

export async function showRootKey(args: Flags): Promise<void> {
  const standing = await createClient(args).get(standingSchema, path);
  if (args.json) return printJson(standing);
  print(describe(standing));
  if (standing.left > 0) suggest(`npx postern keys rewrap-root --dry-run${asBefore(args)}`);
}

export const rewrapRoot = command({
  meta: { description: "As operator: move what the root key beside wraps to the one in use; no record is sealed again" },
  examples: ["npx postern keys rewrap-root --dry-run --as operator", "npx postern keys rewrap-root --confirm=NAME --as operator"],
  args: {
    "dry-run": { type: "boolean", description: "Say what would move; nothing changes" },
    ...confirmFlag,
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const client = createClient(args);
    const standing = await client.post(standingSchema, `${path}/rewrap`, { dry_run: true });
    if (args["dry-run"]) {
      if (args.json) return printJson(standing);
      print(describe(standing));
      return suggest(`npx postern keys rewrap-root --confirm=${plain(standing.root_key)}${asBefore(args)}`);
    }
    const confirm = await confirmed(args, standing.root_key, `This wraps ${standing.left} keys under root key ${standing.root_key}.`);
    const moved = await moveAll(client, confirm, standing.left);
    if (args.json) printJson(moved);
    else print(describe(moved));
    if (moved.left > 0) {
      note(`${moved.left} keys do not open under root key ${moved.beside}: ${moved.stuck.map(plain).join(", ")}`);
      process.exitCode = exitCodes.failed;
    } else if (!args.json) suggest(`npx postern keys status${asBefore(args)}      # still 0 left? then take POSTERN_ROOT_KEY_BESIDE away`);
  },
});

/** Each order moves what it can in its time. Killed here or there, whoever orders it next goes on. */
async function moveAll(client: ReturnType<typeof createClient>, confirm: string, total: number): Promise<z.infer<typeof movedSchema>> {
  const progress = createProgress();
  for (;;) {
    const moved = await patiently(() => client.post(movedSchema, `${path}/rewrap`, { confirm }));
    progress.show(total - moved.left, total, `${moved.left} left`);
    if (moved.left > 0 && moved.moved > 0) continue;
    progress.end();
    return moved;
  }
}

function describe({ root_key, beside, wrapped, left, foreign, may_change_log_keys }: Standing): string {
  const roleOf = (name: string) => (name === root_key ? "in use" : name === beside ? "beside" : "not configured here");
  const rows = wrapped.map(({ root_key: name, shares, log_keys }) => [
    `  ${plain(name)}`,
    roleOf(name),
    `${shares} shares of contracts' keys, ${log_keys} keys of logs`,
  ]);
  return [
    `root key ${plain(root_key)}${beside === null ? "" : `, read beside it: ${plain(beside)}`}`,
    columns(rows),
    ...(beside === null ? [] : [`${left} left to move`]),
    ...(foreign > 0 ? [`${foreign} keys lie under a root key that is not configured here: name it in POSTERN_ROOT_KEY_BESIDE`] : []),
    ...(left > 0 && !may_change_log_keys
      ? ["first, as the database's owner: grant update (wrapped) on postern.audit_key to postern_keeper"]
      : []),
  ].join("\n");
}
