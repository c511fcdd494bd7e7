/**
 * An officer takes the gateway log away, to hold their contract's log to it:  enter → log this export → cut at the newest checkpoint → stream an extract
 * Shown are the entries about all logs (heads and their inventory, epochs) and those that name this contract. Of every other entry its hash is there, so
 * that root, tiles, flushes and checkpoints verify, and nothing of what it says.
 */
import {
  AuditUnavailable,
  type EventName,
  type ExportFlush,
  encodeEntries,
  entriesOfFlush,
  gatewayLog,
  LogHalted,
  readEntry,
  selectLog,
} from "../audit/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { enterContract, type Visit } from "../offices/index.ts";
import { bundleOf, type ExportDesk, logOfExport } from "./export.ts";

const aboutAllLogs: ReadonlySet<EventName> = new Set(["log.heads", "log.epoch_opened"]);
const withheld = new Uint8Array(0);

export async function exportRoot(desk: ExportDesk, visit: Visit, id: ContractId): Promise<Result<ReadableStream<Uint8Array>, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { database, sequencer, audit } = desk;
  await audit.append(await logOfExport(desk, entered.value), {
    event: "audit.exported",
    actor: entered.value.actor,
    request: visit.request,
    outcome: { effect: "allow", code: "root" },
    facts: { contract: id, of: gatewayLog },
  });
  const isHalted = await sequencer.run(gatewayLog).then(() => false, haltOrThrow);
  const row = await selectLog(database, gatewayLog);
  if (row === null) throw new AuditUnavailable("the gateway log is not there");
  const show = (flush: ExportFlush) => shownTo(id, flush);
  return ok(await bundleOf(desk, row, { state: isHalted ? "halted" : row.state, extract: { contract: id, show } }));
}

function shownTo(contract: ContractId, flush: ExportFlush): ExportFlush {
  if (flush.entries === null) return flush;
  const entries = entriesOfFlush(flush.entries).map((bytes) => (isAbout(contract, bytes) ? bytes : withheld));
  return { ...flush, entries: encodeEntries(entries) };
}

/** What cannot be read is shown to nobody. */
function isAbout(contract: ContractId, bytes: Uint8Array): boolean {
  const entry = readEntry(bytes);
  return entry !== null && (aboutAllLogs.has(entry.event) || entry.facts?.contract === contract);
}

function haltOrThrow(error: unknown): true {
  if (error instanceof LogHalted) return true;
  throw error;
}
