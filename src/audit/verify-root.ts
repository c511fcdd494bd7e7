/**
 * A contract's export against an export of the gateway log, which names every log's heads once a minute:
 * the gateway's entries → lines about this log, inventories → the contract's archived checkpoints and times → do they agree?
 *
 * Found is what neither shows alone: a second history for other eyes, a log that was set back or cut although its keys are right, one that was dropped.
 * What the gateway's export withholds is other contracts'; that it withholds nothing about this one is for whoever may read all of it.
 */
import { type Aead, toBase64, type VerifySignature } from "../crypto/index.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Entry } from "./entry.ts";
import { isSameLog, readOrigin } from "./epoch.ts";
import { type NamedHead, nameInRoot, nameOfLine, openHeadLine } from "./root-line.ts";
import { inventoryOf } from "./root-log.ts";
import type { Member } from "./tar.ts";
import type { Trust } from "./trust.ts";
import type { Findings, Verdict } from "./verdict.ts";
import { verifyExport } from "./verify.ts";

/** What is published is named within a minute. It is missed where it is that old, and so many announcements in a row do not name it. */
const namedWithinMs = 10 * 60_000;
const announcementsMissed = 3;

export interface RootRequest {
  readonly contract: AsyncIterable<Member>;
  readonly gateway: AsyncIterable<Member>;
  readonly trust: Trust;
  readonly seen: readonly string[];
  readonly verifySignature: VerifySignature;
  readonly aead: Aead;
  readonly onProgress?: (entries: number, size: number) => void;
}

/** The contract's verdict, with what the root log says against it; the gateway export's own beside it. */
export interface RootVerdict extends Verdict {
  readonly gateway: Verdict;
  /** Heads of this log that the root log named, and those of them that the export is too old to hold. */
  readonly named: number;
  readonly later: number;
}

export async function verifyAgainstRoot({ contract, gateway, aead, onProgress, ...common }: RootRequest): Promise<RootVerdict> {
  const { trust } = common;
  const root = createRootReading(trust, aead);
  const gatewayVerdict = await verifyExport({ ...common, bundle: gateway, seen: [], onEntry: root.add, ...(onProgress && { onProgress }) });
  const held = createHeldReading();
  const counts = { named: 0, later: 0 };
  const judge = (findings: Findings, verdict: Pick<Verdict, "size" | "prunedBefore" | "lost">) => {
    if (!isSameLog(gatewayVerdict.origin, trust.gateway.name))
      findings.add(null, "root_other", "the root export is not of the trusted gateway log");
    Object.assign(counts, compare(rootOf(root.read(), gatewayVerdict), held.read(), verdict, findings));
  };
  const verdict = await verifyExport({
    ...common,
    bundle: contract,
    onEntry: held.addEntry,
    onCheckpoint: held.addCheckpoint,
    judge,
    ...(onProgress && { onProgress }),
  });
  return { ...verdict, ok: verdict.ok && gatewayVerdict.ok, gateway: gatewayVerdict, ...counts };
}

interface Announced extends NamedHead {
  /** Milliseconds. */
  readonly time: number;
}

interface RootReading {
  readonly heads: readonly Announced[];
  /** Lines under this log's name that do not open. */
  readonly unreadable: number;
  /** An inventory that lacks a name that stood in the log before, or has one that did not. */
  readonly dropped: boolean;
  /** Milliseconds: of the newest announcements, the last one last. */
  readonly lastTimes: readonly number[];
}

function createRootReading({ log, rootKey }: Trust, aead: Aead) {
  const { base } = readOrigin(log.name);
  const own = nameInRoot(rootKey);
  const names = new Set<string>();
  const heads: Announced[] = [];
  const said = { unreadable: 0, dropped: false };
  let lastTimes: readonly number[] = [];
  return {
    add({ event, facts, time }: Entry): void {
      if (event !== "log.heads") return;
      const lines = Array.isArray(facts?.heads) ? facts.heads : [];
      for (const line of lines) {
        names.add(nameOfLine(line));
        if (nameOfLine(line) !== own) continue;
        const head = openHeadLine(aead, rootKey, line, base);
        if (head === null) said.unreadable++;
        else heads.push({ ...head, time: Date.parse(time) });
      }
      if (facts?.more !== 0) return;
      lastTimes = [...lastTimes, Date.parse(time)].slice(-announcementsMissed);
      if (facts.inventory !== inventoryOf([...names])) said.dropped = true;
    },
    read: (): RootReading => ({ heads, lastTimes, ...said }),
  };
}

/** Of what stood before a pruning it is not known which logs were named there, or whether this one was. */
function rootOf(reading: RootReading, { prunedBefore }: Verdict): RootReading {
  if (prunedBefore === 0) return reading;
  return { ...reading, dropped: false, lastTimes: reading.heads.length > 0 ? reading.lastTimes : [] };
}

interface HeldReading {
  /** By size: the archived checkpoints that hold by themselves. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
  /** Milliseconds: of the latest entry before each of them, and of all. */
  readonly times: ReadonlyMap<number, number>;
  readonly lastTime: number;
}

function createHeldReading() {
  const checkpoints = new Map<number, Checkpoint>();
  const times = new Map<number, number>();
  let lastTime = 0;
  return {
    addEntry({ time }: Entry): void {
      lastTime = Math.max(lastTime, Date.parse(time));
    },
    addCheckpoint(checkpoint: Checkpoint): void {
      checkpoints.set(checkpoint.size, checkpoint);
      times.set(checkpoint.size, lastTime);
    },
    read: (): HeldReading => ({ checkpoints, times, lastTime }),
  };
}

function compare(
  root: RootReading,
  held: HeldReading,
  { size, prunedBefore, lost }: Pick<Verdict, "size" | "prunedBefore" | "lost">,
  findings: Findings,
): { named: number; later: number } {
  let later = 0;
  let before: Announced | null = null;
  for (const head of root.heads) {
    const { epoch } = readOrigin(head.origin);
    if (before !== null && (epoch < readOrigin(before.origin).epoch || (head.origin === before.origin && head.size < before.size)))
      findings.add(null, "root_back", `the root log named ${before.size} entries of this log, and then ${head.size}`);
    before = head;
    const declared = lost.find((loss) => loss.epoch > epoch);
    if (head.size <= prunedBefore || (declared && head.size > declared.from && head.size <= declared.to)) continue;
    if (declared && head.size > declared.to)
      findings.add(null, "root_cut", `the root log named ${head.size} entries: more than epoch ${declared.epoch} declares lost`);
    else if (head.size > size && head.time > held.lastTime) later++;
    else if (head.size > size)
      findings.add(null, "root_cut", `the root log named ${head.size} entries before this export was made, which has ${size}`);
    else if (!agrees(held.checkpoints.get(head.size), head))
      findings.add(null, "root_differs", `the root log named another history of ${head.size} entries than this one`);
  }
  if (root.unreadable > 0) findings.add(null, "root_differs", `${root.unreadable} lines of the root log about this log cannot be opened`);
  if (root.dropped)
    findings.add(null, "root_dropped", "the root log's inventory is not that of the logs it has named: one was dropped, or never named");
  checkSilence(root, held, findings);
  return { named: root.heads.length, later };
}

function agrees(checkpoint: Checkpoint | undefined, { origin, root }: NamedHead): boolean {
  return checkpoint !== undefined && checkpoint.origin === origin && toBase64(checkpoint.root) === root;
}

/** What was published long before the root log's last word stands in it: a log that is left out is shown to some and hidden from others. */
function checkSilence({ heads, lastTimes }: RootReading, { times }: HeldReading, findings: Findings): void {
  const [since] = lastTimes;
  if (since === undefined || lastTimes.length < announcementsMissed) return;
  let due = 0;
  for (const [size, time] of times) if (time > 0 && time <= since - namedWithinMs) due = Math.max(due, size);
  const named = heads.at(-1)?.size ?? 0;
  if (named < due)
    findings.add(
      null,
      "root_silent",
      `the root log named ${named} entries of this log last, and ${due} were published ten minutes before its end`,
    );
}
