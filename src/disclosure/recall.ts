/** A question to the merchant's own API, or its answer of minutes ago, where the contract lets it be kept. An error is never kept. */

import type { Query } from "../connectors/index.ts";
import { type Json, parseJson, printJson } from "../kernel/index.ts";
import { type Asked, askUpstream, dropAnswers, keepAnswer, keptPlace, type Registered, recallAnswer, type Way } from "../upstream/index.ts";
import type { Disclosure } from "./ask.ts";
import type { Inside } from "./disclose.ts";

interface Deps extends Pick<Disclosure, "database" | "aead"> {
  readonly way: Way;
  /** Milliseconds. */
  readonly now: () => number;
}

interface Asking {
  readonly inside: Inside;
  readonly found: Registered;
  readonly path: string;
  /** As it goes up. */
  readonly query: Query;
}

export type Recalled = Asked & { readonly isKept?: boolean };

/** As JSON, with the body's own text in it. */
interface KeptText {
  readonly status?: number;
  readonly link: string | null;
  readonly body: string;
}

export async function askOrRecall(deps: Deps, { inside, found, path, query }: Asking): Promise<Recalled> {
  const { connector, credential, place } = found;
  const ask = () => askUpstream(deps.way, connector, { path, query, credential, nowMs: deps.now() }, place);
  const { upstream } = inside.bundle.contract;
  if (upstream === undefined) return ask();
  const question = [path, JSON.stringify(Object.entries(query).sort()), JSON.stringify(connector), credential];
  const kept = keptPlace(inside.keys.locator, { contract: place.contract, connector: place.name, question });
  const known = await recallAnswer(deps.database, deps.aead, kept, upstream.cacheMinutes);
  if (known !== null) {
    const { body, ...said } = JSON.parse(known) as KeptText;
    return { ok: true, ...said, body: parseJson(body), isKept: true };
  }
  const said = await ask();
  if (said.ok) await keepAnswer(deps.database, deps.aead, kept, { text: textOf(said), askedAt: inside.loaded.now });
  return said;
}

function textOf({ status, link, body }: { readonly status?: number; readonly link: string | null; readonly body: Json }): string {
  return JSON.stringify({ ...(status !== undefined && { status }), link, body: printJson(body) } satisfies KeptText);
}

/** Before and after a write: whatever was asked until then may have changed. */
export async function dropKept({ database }: Pick<Deps, "database">, { inside, found }: Pick<Asking, "inside" | "found">): Promise<void> {
  if (inside.bundle.contract.upstream !== undefined) await dropAnswers(database, found.place.contract, found.place.name);
}
