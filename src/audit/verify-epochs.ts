/**
 * In which epoch the log is, place by place. A new one is opened by an entry that says what it carries on from and what is lost; what was written under
 * an earlier origin may come behind it, as it waited meanwhile; nothing under a later one comes before.
 */
import type { Entry } from "./entry.ts";
import { isSameLog, type LostInterval, type Opened, readOpened, readOrigin } from "./epoch.ts";
import type { Findings } from "./verdict.ts";

/** An epoch as the log opened it. */
export interface OpenedEpoch extends Opened {
  readonly epoch: number;
  /** Milliseconds: of the latest entry that was kept; 0 where none was. */
  readonly keptTime: number;
}

export interface EpochCheck {
  /** In the log's order. */
  add(index: number, entry: Entry): void;
  /** Whether what was written under `origin` may stand at a place that was read. */
  admits(origin: string, index: number): boolean;
  /** Whether it waited while the log began a new epoch. */
  isLate(origin: string, index: number): boolean;
  /** Whether it is under `origin` that a checkpoint of `size` entries was signed; the places before were read. */
  signs(origin: string, size: number): boolean;
  /** The next one behind that of `origin`: it says what was lost of it. `null` = there is none. */
  after(origin: string): OpenedEpoch | null;
  end(): void;
  /** What was declared, in order. */
  lost(): readonly DeclaredLoss[];
}

export interface DeclaredLoss extends LostInterval {
  /** The one that declares it. */
  readonly epoch: number;
}

/**
 * `origin`: the log's own, as the export names it. `first`: the first place that was kept. Where earlier ones were pruned it is not known in which epoch
 * they left the log, until an entry opens the next.
 */
export function createEpochCheck(origin: string, first: number, findings: Findings): EpochCheck {
  const own = readOrigin(origin);
  const opened: OpenedEpoch[] = [];
  let keptTime = 0;
  const epochOf = (text: string) => (isSameLog(text, origin) ? readOrigin(text).epoch : null);
  const begun = first === 0 ? 1 : null;
  const current = () => opened.at(-1)?.epoch ?? begun;
  const epochAt = (index: number) => opened.findLast(({ kept }) => kept <= index)?.epoch ?? begun;
  const open = (index: number, entry: Entry) => {
    const epoch = epochOf(entry.log);
    const says = readOpened(entry);
    const before = says && epochOf(says.before);
    if (epoch === null || says === null || before === null || before >= epoch || epoch <= (current() ?? 1) || says.kept !== index)
      findings.add(index, "epoch_order", "it opens an epoch, and is not what and where the first entry of one is");
    else opened.push({ ...says, epoch, keptTime });
  };
  return {
    add(index, entry) {
      if (entry.event === "log.epoch_opened") open(index, entry);
      keptTime = Math.max(keptTime, Date.parse(entry.time));
    },
    admits(text, index) {
      const epoch = epochOf(text);
      return epoch !== null && epoch <= (epochAt(index) ?? own.epoch);
    },
    isLate: (text, index) => readOrigin(text).epoch < (epochAt(index) ?? own.epoch),
    signs(text, size) {
      const epoch = epochAt(size - 1);
      return epoch === null ? epochOf(text) !== null : epochOf(text) === epoch;
    },
    after(text) {
      const { epoch } = readOrigin(text);
      return opened.find((later) => later.epoch > epoch) ?? null;
    },
    end() {
      const last = current();
      if (last !== null && last !== own.epoch)
        findings.add(null, "epoch_order", `the log calls itself one of epoch ${own.epoch}, and its entries are of epoch ${last}`);
    },
    lost: () => opened.map(({ epoch, lost }) => ({ epoch, ...lost })),
  };
}
