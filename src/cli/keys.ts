/** `postern keys …`: how a contract's keys stand, and moving them to a new epoch; and the root key, for operators. */
import { createClient } from "./client.ts";
import { asBefore, clientFlags, command, contractArgument, jsonFlag } from "./command.ts";
import { confirmed, confirmFlag } from "./confirmed.ts";
import { rewrapRoot, showRootKey } from "./keys-root.ts";
import { describeKeys, describeRotation, isOver, keysPath, keysSchema, type Rotation, rotationSchema } from "./keys-status.ts";
import { print, printJson, suggest } from "./output.ts";
import { askEveryMs, patiently } from "./patience.ts";
import { createProgress } from "./progress.ts";

const status = command({
  meta: {
    description:
      "Of a contract: epochs, what is wrapped under which, commitments, and the rotation under way. Without one, as operator: the root key. Never a key",
  },
  examples: [
    "npx postern keys status c-hangzhou-cs --as owner-1",
    "npx postern keys status c-hangzhou-cs --watch --as owner-1",
    "npx postern keys status --as operator",
  ],
  args: {
    id: { ...contractArgument.id, required: false },
    watch: { type: "boolean", description: "Follow the rotation to its end" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const { id } = args;
    if (id === undefined) return showRootKey(args);
    if (args.watch) return watch({ ...args, id });
    const keys = await createClient(args).get(keysSchema, keysPath(id));
    if (args.json) return printJson(keys);
    print(describeKeys(keys, Date.now()));
    if (keys.rotation && !isOver(keys.rotation)) suggest(`npx postern keys status ${id} --watch${asBefore(args)}`);
  },
});

const rotate = command({
  meta: { description: "Move every key to a new epoch and destroy the old ones; no record is sealed again" },
  examples: [
    "npx postern keys rotate c-hangzhou-cs --dry-run --as owner-1",
    "npx postern keys rotate c-hangzhou-cs --confirm=c-hangzhou-cs --watch --as owner-1",
    "npx postern keys rotate c-hangzhou-cs --index --confirm=c-hangzhou-cs --watch --as owner-1",
  ],
  args: {
    ...contractArgument,
    index: { type: "boolean", description: "A new index key as well: records are opened for what they are found by" },
    "dry-run": { type: "boolean", description: "Say what would move; nothing changes" },
    ...confirmFlag,
    watch: { type: "boolean", description: "Follow it to its end" },
    ...clientFlags,
    ...jsonFlag,
  },
  async run({ args }) {
    const client = createClient(args);
    if (args["dry-run"]) {
      const keys = await client.post(keysSchema, `${keysPath(args.id)}/rotate`, { dry_run: true });
      if (args.json) return printJson(keys);
      print(describeKeys(keys, Date.now()));
      print(
        "A rotation wraps all of these under a new epoch, then destroys the old ones: no backup from before opens again by its own keyring.",
      );
      if (args.index)
        print(
          `With --index, ${keys.index?.records ?? 0} records are opened, and what they are found by is made anew under a new index key.`,
        );
      return suggest(`npx postern keys rotate ${args.id}${args.index ? " --index" : ""} --confirm=${args.id}${asBefore(args)}`);
    }
    const confirm = await confirmed(
      args,
      args.id,
      `This destroys the old key epochs of ${args.id}; restore its backups under today's keyring only.`,
    );
    const rotation = await client.post(rotationSchema, `${keysPath(args.id)}/rotate`, { confirm, ...(args.index && { index: true }) });
    if (args.watch) return watch(args);
    if (args.json) return printJson(rotation);
    print(describeRotation(rotation));
    suggest(`npx postern keys status ${args.id} --watch${asBefore(args)}`);
  },
});

/** Asks once a second until it is over. It remembers nothing: stopped and started again, it goes on. */
async function watch(args: { readonly id: string; readonly json?: boolean | undefined; readonly as?: string | undefined }): Promise<void> {
  const client = createClient(args);
  const progress = createProgress();
  let last = "";
  for (;;) {
    const { rotation } = await patiently(() => client.get(keysSchema, keysPath(args.id)));
    if (!rotation) return print(`${args.id}: nobody has asked for a rotation`);
    const line = args.json ? JSON.stringify(rotation) : describeRotation(rotation);
    if (process.stderr.isTTY && !args.json) progress.show(doneOf(rotation), totalOf(rotation), line);
    else if (line !== last) print(line);
    last = line;
    if (isOver(rotation)) break;
    await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  }
  progress.end();
  if (process.stderr.isTTY && !args.json) print(last);
}

function doneOf({ progress, index }: Rotation): number {
  return progress.done + progress.rewrapped + (index?.indexed ?? 0);
}

function totalOf({ progress, index }: Rotation): number {
  return progress.of + Math.max(progress.keys ?? 0, progress.rewrapped) + Math.max(index?.records ?? 0, index?.indexed ?? 0);
}

export const keys = command({
  meta: { description: "A contract's keys and the root key: how they stand, and moving them" },
  subCommands: { status, rotate, "rewrap-root": rewrapRoot },
});
