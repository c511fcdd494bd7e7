/** `postern policy replay EXPORT`: the recorded decisions of a log, taken again under a new policy. Without a gateway, and without any data. */
import type { Entry } from "../audit/index.ts";
import type { Bundle, Replay, ReplayResult } from "../policy/index.ts";
import { command, jsonFlag, repeated } from "./command.ts";
import { exitCodes, Failure } from "./failure.ts";
import { openSource, readText } from "./files.ts";
import { columns, note, plain, print, printJson, suggest } from "./output.ts";
import { compileFiles, readAgreement } from "./policy-files.ts";
import { readBundleText } from "./policy-in-force.ts";

const dayMs = 86_400_000;

export const policyReplay = command({
  meta: { description: "What agents were shown according to an exported log, and what they would have been shown under a new policy" },
  examples: [
    "npx postern policy replay log.tar --contract contract.yaml --policy policy.yaml --days 30",
    "npx postern policy replay log.tar --contract contract.yaml --policy policy.yaml --before in-force.json",
  ],
  args: {
    export: { type: "positional", required: true, valueHint: "EXPORT", description: "From `audit export`; - is standard input" },
    contract: { type: "string", required: true, valueHint: "FILE", description: "The contract's YAML as it is to be" },
    policy: {
      type: "string",
      valueHint: "FILE",
      description: "The policy's YAML as it is to be (else the shipped one that the contract names)",
    },
    before: { type: "string", valueHint: "FILE", description: "A policy that decided then, from `policy show --bundle`; may be repeated" },
    days: { type: "string", valueHint: "N", description: "Only the last N days" },
    ...jsonFlag,
  },
  repeatable: ["before"],
  async run({ args, rawArgs }) {
    const since = args.days === undefined ? 0 : Date.now() - daysOf(args.days) * dayMs;
    const after = await compileFiles(await readAgreement({ contract: args.contract, policy: args.policy }));
    const standing = await bundlesOf(repeated(rawArgs, "before"));
    const result = await replayExport(args.export, { after, standing, since });
    if (args.json) return printJson(result);
    print(describe(result));
    const [digest] = Object.keys(result.missing);
    if (digest === undefined) return;
    note("policies that decided then are not at hand, so their conditions are open and it is not known what was withheld");
    suggest(`npx postern policy show ${plain(after.contract.id)} --digest ${plain(digest)} --bundle > before.json`);
  },
});

function daysOf(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new Failure("--days is a number of days, as 30", exitCodes.usage);
  return Number(text);
}

async function bundlesOf(paths: readonly string[]): Promise<Map<string, Bundle>> {
  const { bundleDigest, bundleText } = await import("../policy/index.ts");
  const bundles = await Promise.all(paths.map(async (path) => readBundleText(await readText(path))));
  return new Map(bundles.map((bundle) => [bundleDigest(bundleText(bundle)), bundle]));
}

interface Asked {
  readonly after: Bundle;
  readonly standing: ReadonlyMap<string, Bundle>;
  /** Milliseconds. */
  readonly since: number;
}

async function replayExport(path: string, { after, standing, since }: Asked): Promise<ReplayResult> {
  const [{ readEntries }, { createReplay }] = await Promise.all([import("../audit/index.ts"), import("../policy/index.ts")]);
  const replay = createReplay(after, standing);
  const { stream } = await openSource(path);
  try {
    for await (const entry of readEntries(stream)) {
      if (entry === null) replay.skip("not_an_entry");
      else if (Date.parse(entry.time) >= since) addEntry(replay, entry);
    }
  } catch (fault) {
    if (fault instanceof Failure) throw fault;
    throw new Failure(`${path} is damaged, cut short, or no export`, exitCodes.usage);
  }
  return replay.result();
}

function addEntry(replay: Replay, { event, resource, decision, reason, outcome, facts = {}, time }: Entry): void {
  if (event !== "record.read" && event !== "record.searched") return;
  const away = [facts.rows_not_held, facts.rows_failed].reduce<number>((sum, count) => sum + (typeof count === "number" ? count : 0), 0);
  if (away > 0) replay.skip("records that a row rule kept away then", away);
  if (outcome.effect === "deny") {
    // It has no fields to take again, and might be an answer now.
    replay.skip(`refused then: ${outcome.code}`);
  } else if (!resource || !decision || reason?.purpose === undefined) {
    replay.skip("not_an_entry");
  } else if (resource.records.length === 0) {
    replay.skip("nothing was found then");
  } else {
    const outcomes = Array.isArray(facts.conditions) ? facts.conditions : [];
    const searchedBy = typeof facts.searched_by === "string" ? facts.searched_by : null;
    const { type, fields } = resource;
    const lastDays = facts.last_days === 1;
    const recorded = { role: decision.role, type, purpose: reason.purpose, time: Date.parse(time), fields, outcomes, searchedBy, lastDays };
    replay.add(recorded, decision.policy);
  }
}

/** `phone revealed  1,204 → 4,418` for each class; then by role and treatment; then what could not be told. */
function describe({ counts, replayed, refused, open, skipped, missing }: ReplayResult): string {
  const number = (count: number) => count.toLocaleString("en");
  const more = (count: number) => (count > 0 ? `+ ${number(count)} at most` : "");
  const revealed = Map.groupBy(
    counts.filter(({ treatment }) => treatment === "reveal"),
    (count) => count.class ?? "unknown",
  );
  const heads = [...revealed].map(([name, found]) => {
    const sum = (key: "before" | "after" | "perhaps") => found.reduce((total, count) => total + count[key], 0);
    return [`${name} revealed`, `${number(sum("before"))} → ${number(sum("after"))}`, more(sum("perhaps"))];
  });
  const rows = counts.map(({ role, class: name, treatment, before, after, perhaps }) => [
    ...[plain(role), name ?? "unknown", treatment],
    ...[number(before), number(after), more(perhaps)],
  ]);
  const lists = Object.entries({
    "nothing would be shown any more": refused,
    "open, because the log does not say": open,
    "not taken again": skipped,
    "decided by a policy that is not at hand": missing,
  }).flatMap(([title, tally]) => Object.entries(tally).map(([reason, count]) => `${title}: ${plain(reason)}  ${number(count)}`));
  return [
    ...(heads.length > 0 ? [columns(heads), ""] : []),
    ...(rows.length > 0 ? [columns([["role", "class", "treatment", "before", "after", ""], ...rows]), ""] : []),
    `${number(replayed)} answer${replayed === 1 ? "" : "s"} decided again`,
    ...lists,
  ].join("\n");
}
