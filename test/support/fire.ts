/**
 * One fault, endured: agents read and an owner imports while it begins, lasts and ends, and what THREATS.md promises is measured the same way for each.
 * Which faults there are, and what is to come of them, stands in `fire-faults.ts`.
 */
import { randomUUID } from "node:crypto";
import { search } from "./agreement.ts";
import { type Count, countBothSides, customer, type House } from "./house.ts";
import { type Outcome, type Readers, readAtOnce, startReaders } from "./readers.ts";
import { pause, until } from "./until.ts";

export interface Fault {
  readonly name: string;
  /** Begins it; answers how it ends. */
  readonly inflict: (house: House) => Promise<End> | End;
  readonly lastsMs?: number;
  /** What comes of every question that is asked late in it: `200`, `503` … `null` = now this, now that. */
  readonly late: string | null;
  /** What comes of others while it lasts. */
  readonly meanwhile: readonly string[];
  /** What the process is then: the same, or one that was started again. */
  readonly process?: "same" | "another";
  /** An entry stands for each answer and for nothing else: nobody is left in doubt. */
  readonly isExact?: boolean;
  /** Default: five seconds. */
  readonly importHealsWithinMs?: number;
  /** Throws where something else is not as it was before. */
  readonly afterwards?: (house: House) => Promise<unknown>;
}

type End = () => unknown;

export interface Endured {
  /** What came of questions between its begin and its end, and how often. */
  readonly meanwhile: Kinds;
  /** What came of those that were asked shortly before its end, and how long the slowest waited. */
  readonly late: Kinds;
  readonly slowestMs: number;
  /** From its end to the next answer, and to the next import that was acknowledged. */
  readonly healedMs: { readonly read: number; readonly import: number };
  readonly count: Count;
  /** Entries of reads and imports that no client was answered for, and how many it may be: questions that came to something else. */
  readonly unanswered: Tally;
  readonly doubtful: Tally;
  /** What came of imports, from before its begin until all was as before. */
  readonly imports: Kinds;
  /** Ids of acknowledged imports that no agent finds. */
  readonly lost: readonly string[];
  /** Values of the customer in refusals, or in what the process wrote. */
  readonly leaked: readonly string[];
  readonly isSameProcess: boolean;
}

interface Tally {
  readonly reads: number;
  readonly imports: number;
}

const readersAtOnce = 8;
const importersAtOnce = 3;
const lastsMsUsual = 3_000;
/** Past it nothing is waited for any more. A statement of the keeper's has a minute. */
const patienceMs = 90_000;
const values = [customer.name, customer.phone, customer.email];

export async function endure(house: House, fault: Fault): Promise<Endured> {
  const { gateway } = house;
  const before = await countBothSides(house, []);
  const [pid, saidBefore] = [gateway.pid(), gateway.errors().length];
  const load = startLoad(house);
  let seen: Seen;
  try {
    seen = await burn(house, fault, load);
  } catch (cause) {
    throw new Error(`the gateway wrote: ${gateway.errors().slice(saidBefore)}`, { cause });
  } finally {
    await load.stop();
  }
  const { asked, readers, importers } = load;
  const all = sum(readers.tally(), tallyOf(asked));
  const answered = all[200] ?? 0;
  const count = await countBothSides(house, [...readers.promises, ...asked.flatMap(({ promise }) => promise ?? [])]);
  await fault.afterwards?.(house);
  const texts = [...asked.filter(({ status }) => status !== 200).map(({ body }) => body), gateway.errors().slice(saidBefore)];
  return {
    ...seen,
    count,
    unanswered: {
      reads: count.reads - before.reads - answered,
      imports: count.imports - before.imports - importers.acknowledged.length,
    },
    doubtful: { reads: totalOf(all) - answered, imports: totalOf(importers.tally()) - importers.acknowledged.length },
    imports: importers.tally(),
    lost: await notFoundOf(house, importers.acknowledged),
    leaked: values.filter((value) => texts.some((text) => text.includes(value))),
    isSameProcess: gateway.pid() === pid,
  };
}

type Seen = Pick<Endured, "meanwhile" | "late" | "slowestMs" | "healedMs">;

/** The fault from before its begin until all is as it was. */
async function burn(house: House, { inflict, lastsMs = lastsMsUsual }: Fault, { readers, importers, ask }: Load): Promise<Seen> {
  await readers.releasedReaches(readersAtOnce);
  await until("an import", () => importers.acknowledged.length > 0);
  const begun = readers.tally();
  const end = await inflict(house);
  await pause(lastsMs);
  const late = await ask(8);
  const meanwhile = differenceOf(readers.tally(), begun);
  const ended = performance.now();
  await end();
  const [read, imported] = await Promise.all([
    msFrom(ended, async () => (await ask(1))[0]?.status === 200),
    msFrom(ended, () => importers.importOne()),
  ]);
  const slowestMs = Math.round(Math.max(...late.map(({ tookMs }) => tookMs)));
  return { meanwhile, late: tallyOf(late), slowestMs, healedMs: { read, import: imported } };
}

interface Load {
  readonly readers: Readers;
  readonly importers: Importers;
  /** Each on a connection of its own; what came of them is kept in `asked`. */
  ask(count: number): Promise<Outcome[]>;
  readonly asked: readonly Outcome[];
  stop(): Promise<unknown>;
}

function startLoad(house: House): Load {
  const readers = startReaders(house.read, readersAtOnce, { pauseMs: 50, thinkMs: 20 });
  const importers = startImporters(house);
  const asked: Outcome[] = [];
  return {
    readers,
    importers,
    asked,
    async ask(count) {
      const outcomes = await readAtOnce(house.read, count);
      asked.push(...outcomes);
      return outcomes;
    },
    stop: () => Promise.all([readers.stop(), importers.stop()]),
  };
}

/** From `start` until it is true. */
async function msFrom(start: number, isTrue: () => Promise<boolean>): Promise<number> {
  await until("what was before the fault", isTrue, patienceMs);
  return Math.round(performance.now() - start);
}

type Kinds = Readonly<Record<string, number>>;

function totalOf(kinds: Kinds): number {
  return Object.values(kinds).reduce((total, times) => total + times, 0);
}

function tallyOf(outcomes: readonly Outcome[]): Kinds {
  return outcomes.map(({ kind, status }) => ({ [kind === "answered" ? String(status) : kind]: 1 })).reduce(sum, {});
}

function sum(one: Kinds, other: Kinds): Kinds {
  return Object.fromEntries(
    [...new Set([...Object.keys(one), ...Object.keys(other)])].map((kind) => [kind, (one[kind] ?? 0) + (other[kind] ?? 0)]),
  );
}

function differenceOf(later: Kinds, earlier: Kinds): Kinds {
  const grown = Object.entries(later).map(([kind, times]): [string, number] => [kind, times - (earlier[kind] ?? 0)]);
  return Object.fromEntries(grown.filter(([, times]) => times > 0));
}

interface Importers {
  /** Ids. */
  readonly acknowledged: readonly string[];
  tally(): Kinds;
  importOne(): Promise<boolean>;
  stop(): Promise<void>;
}

/** An owner who imports one customer after the other. */
function startImporters({ gateway }: House): Importers {
  const path = "/v1/contracts/c-test/records/customer/import";
  const acknowledged: string[] = [];
  let tally: Kinds = {};
  let running = true;
  const importOne = async () => {
    const id = randomUUID();
    const body = `${JSON.stringify({ ...customer, id })}\n`;
    const headers = { "content-type": "application/x-ndjson" };
    const status = await gateway.call("POST", path, { as: "owner-1", body, headers }).then(
      (answer) => answer.text().then(() => answer.status),
      () => "closed",
    );
    tally = sum(tally, { [status]: 1 });
    if (status === 200) acknowledged.push(id);
    return status === 200;
  };
  const loops = Array.from({ length: importersAtOnce }, async () => {
    while (running) await importOne().then((done) => pause(done ? 50 : 200));
  });
  return {
    acknowledged,
    tally: () => tally,
    importOne,
    async stop() {
      running = false;
      await Promise.all(loops);
    },
  };
}

async function notFoundOf({ gateway }: House, ids: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const id of ids) if ((await search(gateway, { id })).records.length !== 1) missing.push(id);
  return missing;
}
