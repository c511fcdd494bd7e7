/** An officer watches the log grow:  ask → from the end, or from a cursor → what comes, as it comes.  One reading, so one entry, however long it lasts. */
import { searchEnd, searchEntries } from "../audit/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import type { Visit } from "../offices/index.ts";
import { askLog, type Filter, type Oversight } from "./ask.ts";
import { type ListedEntry, readListed } from "./read.ts";

const lookEveryMs = 1_000;
/** Then the caller asks again, with a token that is still good. */
const followMs = 600_000;
const pageEntries = 200;

export interface Followed extends ListedEntry {
  /** Goes on behind this entry. */
  readonly cursor: string;
}

/** Answers `null` where nothing came for a while, so that a reader who went away is noticed. */
export async function followEntries(
  deps: Oversight,
  visit: Visit,
  id: ContractId,
  { filter, cursor }: { readonly filter: Filter; readonly cursor: string | undefined },
): Promise<Result<AsyncGenerator<Followed | null>, Refusal>> {
  const asked = await askLog(deps, visit, id, { kind: "follow", event: "audit.listed", code: "followed", filter, cursor });
  if (!asked.ok) return asked;
  const { search, places, cursorAt } = asked.value;
  const start = places?.[0] ?? (await searchEnd(deps.database, id));
  const until = Date.now() + followMs;
  const follow = async function* () {
    for (let from = start; Date.now() < until; ) {
      const to = await searchEnd(deps.database, id);
      const indexes = from < to ? await searchEntries(deps.database, id, search, { order: "oldest", from, to, limit: pageEntries }) : [];
      for (const listed of await readListed(deps, id, indexes)) yield { ...listed, cursor: cursorAt(listed.index + 1) };
      const last = indexes.at(-1);
      const full = indexes.length === pageEntries && last !== undefined;
      from = full ? last + 1 : Math.max(from, to);
      if (full) continue;
      if (last === undefined) yield null;
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  };
  return ok(follow());
}
