/** The log's routes: C2SP tlog-tiles, its proofs, and receipts. */
import * as z from "zod";
import { gatewayLog, type Tile, tileWidth } from "../audit/index.ts";
import { type Answer, type Received, type Route, waitOf } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type RefusalCode, type Result } from "../kernel/index.ts";
import { type LogDesk, proveConsistency, proveInclusion, readBundleOfEntries, readCheckpoint, readPolicy, readTile } from "./read-log.ts";
import { createReceipts, type Receipted } from "./receipts.ts";

const text = "text/plain; charset=utf-8";
const binary = "application/octet-stream";
/** A full tile never changes. */
const fullTileSeconds = 365 * 24 * 3_600;
/** Nor does a partial one, but soon nobody asks for it. */
const partialTileSeconds = 60;
const publicCheckpointSeconds = 1;
const receiptWaitSecondsMax = 2;

/** From 1: everything extends nothing. */
const size = z.string().regex(/^[1-9][0-9]{0,14}$/);
const consistencyQuery = z.strictObject({ from: size, to: size.optional() });
const refusals = ["pruned", "audit_unavailable", "keys_unavailable", "share_closed"] as const satisfies readonly RefusalCode[];

export function logRoutes(desk: LogDesk): Route[] {
  return [...tileRoutes(desk), ...proofRoutes(desk), receiptRoute(desk)];
}

function tileRoutes(desk: LogDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/log/{log}/checkpoint",
      summary: "The newest checkpoint. The gateway log's is public; a contract's log is for its merchant's owners and officers",
      answers: { 200: { media: text, description: "A C2SP tlog-checkpoint" } },
      refusals,
      handle: async (received) => {
        const cache = isPublic(received) ? `public, max-age=${publicCheckpointSeconds}` : "no-store";
        return answer(received, await readCheckpoint(desk, received.caller, logOf(received)), (note) =>
          plain(note, { "cache-control": cache }),
        );
      },
    },
    {
      method: "GET",
      path: "/log/{log}/tile/entries/{bundle}",
      summary:
        "The entries of a contract's log under a level-0 tile: `x001/x234/067`, `000.p/8`. The parameter reaches to the end of the path",
      answers: { 200: { media: binary, description: "Each entry behind its length in two bytes, big-endian" } },
      refusals,
      handle: async (received) =>
        answer(received, await readBundleOfEntries(desk, received.caller, logOf(received), received.params.bundle ?? ""), (read) =>
          tileAnswer(received, read),
        ),
    },
    {
      method: "GET",
      path: "/log/{log}/tile/{tile}",
      summary: "A hash tile: `0/x001/x234/067`, `1/000.p/8`. The parameter reaches over slashes to the end of the path",
      answers: { 200: { media: binary, description: "Hashes of 32 bytes, 256 of them or as many as behind `.p/`" } },
      refusals,
      handle: async (received) =>
        answer(received, await readTile(desk, received.caller, logOf(received), received.params.tile ?? ""), (read) =>
          tileAnswer(received, read),
        ),
    },
  ];
}

function proofRoutes(desk: LogDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/log/{log}/proof/{leaf}",
      summary: "That a leaf is in the tree of the newest checkpoint",
      answers: { 200: { media: text, description: "A C2SP tlog-proof" } },
      refusals,
      handle: async (received) =>
        answer(received, await proveInclusion(desk, received.caller, logOf(received), Number(received.params.leaf)), plain),
    },
    {
      method: "GET",
      path: "/log/{log}/consistency",
      summary: "That the log of size `to` (with a checkpoint; the newest, if left out) extends the one of size `from` (must be given)",
      query: consistencyQuery,
      answers: {
        200: { media: text, description: "`old FROM`, the proof's hashes, an empty line, the checkpoint: as a tlog-witness takes it" },
      },
      refusals,
      handle: async (received) => {
        const { from, to } = received.query;
        const sizes = { from: Number(from), to: to === undefined ? null : Number(to) };
        return answer(received, await proveConsistency(desk, received.caller, logOf(received), sizes), plain);
      },
    },
    {
      method: "GET",
      path: "/log/{log}/policy",
      summary: "Whose signatures make a checkpoint of this log count",
      answers: { 200: { media: text, description: "A C2SP tlog-policy" } },
      refusals,
      handle: async (received) => answer(received, await readPolicy(desk, received.caller, logOf(received)), plain),
    },
  ];
}

function receiptRoute(desk: LogDesk): Route {
  const fetchReceipt = createReceipts(desk);
  return {
    method: "GET",
    path: "/log/{log}/receipt/{entry}",
    summary: "The receipt of an entry that an Audit-Promise names; agents get those of their own. `Prefer: wait=2` waits for its place",
    answers: {
      200: { media: text, description: "A C2SP tlog-proof whose extra data is the leaf and the promise" },
      202: { media: text, description: "Accepted, without a place so far: the promise again" },
    },
    refusals,
    handle: async (received) => {
      const seconds = waitOf(received.header("prefer"), receiptWaitSecondsMax);
      const ask = { contract: logOf(received) as ContractId, entry: received.params.entry ?? "", waitMs: seconds * 1_000 };
      return answer(received, await fetchReceipt(received.caller, ask), (receipted) => receiptAnswer(receipted, seconds));
    },
  };
}

function logOf({ params }: Received): string {
  return params.log ?? "";
}

function isPublic(received: Received): boolean {
  return logOf(received) === gatewayLog;
}

/** What is malformed no use case logs: it never became a reading. */
const malformed: readonly RefusalCode[] = ["bad_id", "bad_query"];

async function answer<Value>(
  received: Received,
  result: Result<Value, Refusal>,
  write: (value: Value) => Answer,
): Promise<Result<Answer, Refusal>> {
  if (result.ok) return ok(write(result.value));
  return malformed.includes(result.refusal.code) ? received.turnAway(result.refusal) : result;
}

function plain(body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers, media: text, body };
}

/** What needed a token is for no shared cache, and in its owner's cache for that token alone. */
function tileAnswer(received: Received, { tile, bytes }: { readonly tile: Tile; readonly bytes: Uint8Array }): Answer {
  const life = tile.width === tileWidth ? `max-age=${fullTileSeconds}, immutable` : `max-age=${partialTileSeconds}`;
  const headers = isPublic(received)
    ? { "cache-control": `public, ${life}` }
    : { "cache-control": `private, ${life}`, vary: "authorization" };
  return { status: 200, headers, media: binary, body: new Uint8Array(bytes) };
}

function receiptAnswer({ promise, receipt, waited }: Receipted, seconds: number): Answer {
  const headers = { "audit-promise": promise, ...(waited ? { "preference-applied": `wait=${seconds}` } : {}) };
  if (receipt !== null) return { status: 200, headers, media: text, body: receipt };
  return { status: 202, headers: { ...headers, "retry-after": "1" }, media: text, body: `${promise}\n` };
}
