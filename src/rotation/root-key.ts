/**
 * An operator moves what one root key wraps to another:  enter → look → log the intent → move, for a while → log what was done
 * Both root keys are configured meanwhile, so nobody who reads notices. One order moves what it can within its time, and says what is left; the next one
 * goes on from there, whoever gives it, and needs to know nothing of the last: what lies under which root key is in the rows themselves.
 */
import { uuidv7 } from "uuidv7";
import { ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { countByRoot, mayChangeAuditKeys, type Rewrapped, type RootKey, rewrapRoot, type UnderRoot } from "../keys/index.ts";
import { enterOperations, type OfficeDoor, type Operating, type Visit } from "../offices/index.ts";

/** One order's time; far less than anybody waits for an answer. */
const moveMs = 10_000;

export interface RootKeyDesk extends OfficeDoor {
  readonly root: RootKey;
  /** Milliseconds. */
  readonly now: () => number;
}

export interface RootKeyStanding {
  /** Of the root key that wraps. */
  readonly name: string;
  /** Of the one that is read beside it; `null` = there is none. */
  readonly beside: string | null;
  readonly wrapped: readonly UnderRoot[];
  /** Under the one beside. */
  readonly left: number;
  /** Under neither: nothing here opens them. */
  readonly foreign: number;
  /** Whether the database lets the keeper change the logs' keys. */
  readonly mayChange: boolean;
}

export interface Moved extends Rewrapped {
  readonly standing: RootKeyStanding;
}

/** Names and counts. Never a key's bytes. */
export async function readRootKey(desk: RootKeyDesk, visit: Visit): Promise<Result<RootKeyStanding, Refusal>> {
  const entered = await enterOperations(desk, visit);
  if (!entered.ok) return entered;
  await log(desk, visit, entered.value, { event: "root_key.read", outcome: { effect: "allow", code: "ok" } });
  return ok(await look(desk));
}

/** `confirm`: the name of the root key that is to wrap. Killed anywhere, an intent stands without its end, and each key lies under the one or the other. */
export async function moveToRootKey(desk: RootKeyDesk, visit: Visit, confirm: string): Promise<Result<Moved, Refusal>> {
  const entered = await enterOperations(desk, visit);
  if (!entered.ok) return entered;
  const { name, beside, left, mayChange } = await look(desk);
  const job = { job: uuidv7(), to: name, from: beside ?? "none" };
  const refusal = refusalOf({ name, mayChange }, beside, confirm);
  const event = "root_key.move.intent";
  if (refusal || beside === null) {
    const { code } = refusal ?? noneBeside;
    await log(desk, visit, entered.value, { event, outcome: { effect: "deny", code }, facts: { ...job, left } });
    return refuse(refusal ?? noneBeside);
  }
  await log(desk, visit, entered.value, { event, outcome: { effect: "allow", code: "ordered" }, facts: { ...job, left } });
  const until = desk.now() + moveMs;
  const { moved, stuck } = await rewrapRoot(desk.database, desk.root, beside, () => desk.now() >= until);
  const standing = await look(desk);
  const facts = { ...job, moved, stuck: stuck.length, left: standing.left };
  const code = standing.left === 0 ? "moved" : "under_way";
  await log(desk, visit, entered.value, { event: "root_key.move.done", outcome: { effect: "allow", code }, facts });
  return ok({ moved, stuck, standing });
}

const noneBeside: Refusal = { code: "misconfigured", errors: [{ pointer: "POSTERN_ROOT_KEY_BESIDE", code: "missing" }] };
const grant = "grant update (wrapped) on postern.audit_key to postern_keeper";

function refusalOf(
  { name, mayChange }: Pick<RootKeyStanding, "name" | "mayChange">,
  beside: string | null,
  confirm: string,
): Refusal | null {
  if (beside === null) return noneBeside;
  if (confirm !== name) return { code: "unacceptable", errors: [{ pointer: "/confirm", code: "not_the_root_key" }] };
  if (mayChange) return null;
  return { code: "misconfigured", errors: [{ pointer: "postern.audit_key", code: "not_granted", message: grant }] };
}

async function look({ database, root }: RootKeyDesk): Promise<RootKeyStanding> {
  const [name = "", beside = null] = root.names;
  const wrapped = await countByRoot(database);
  const count = (counted: readonly UnderRoot[]) => counted.reduce((sum, { shares, logKeys }) => sum + shares + logKeys, 0);
  return {
    name,
    beside,
    wrapped,
    left: count(wrapped.filter((under) => under.name === beside)),
    foreign: count(wrapped.filter((under) => !root.names.includes(under.name))),
    mayChange: await mayChangeAuditKeys(database),
  };
}

async function log(
  { audit }: RootKeyDesk,
  { request }: Visit,
  { actor, log: own }: Operating,
  draft: Pick<Parameters<OfficeDoor["audit"]["append"]>[1], "event" | "outcome" | "facts">,
): Promise<void> {
  await audit.append(own, { ...draft, actor, request });
}
