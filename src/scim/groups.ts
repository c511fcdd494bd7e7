/**
 * Groups are the roles of a vendor's contracts in force, each at its contract; who is a member has the seat. They come and go with the contract: a directory
 * finds them by their name and fills them.  group → members asked for → checked → log → written
 */
import { actorPseudonym } from "../audit/index.ts";
import { type Contract, isInLastDays, selectContract, selectContractsWith, shareContract, standingAt } from "../contracts/index.ts";
import { sha256, toHex, utf8 } from "../crypto/index.ts";
import { type ContractId, isId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { mayHold } from "../policy/index.ts";
import { type Queryable, refusableTransaction } from "../storage/index.ts";
import { logAt } from "./enter.ts";
import { membersMax, without } from "./group-members.ts";
import { type Group, haveOtherSeats, type Member, putMembers, removeMembers, selectMembers } from "./postgres-members.ts";
import { lockDirectory } from "./postgres-tokens.ts";
import { type ScimUser, selectUsersById } from "./postgres-users.ts";
import { changedMeanwhile, isMatched, notThere, refuseAs, type Told } from "./told.ts";
import type { Call } from "./users.ts";

export interface OpenGroup extends Group {
  readonly of: Contract;
}

/** As people read it, and as a directory finds it. */
export function nameOfGroup({ contract, role }: Group): string {
  return `${contract}/${role}`;
}

/** No role's name holds a tilde, so the last one parts them. */
export function idOfGroup({ contract, role }: Group): string {
  return `${contract}~${role}`;
}

export function versionOfGroup(members: readonly Pick<Member, "user">[]): string {
  return `W/"${toHex(sha256(utf8(members.map(({ user }) => user).join("\n")))).slice(0, 16)}"`;
}

export async function groupOfId(call: Pick<Call, "desk" | "directory">, id: string): Promise<OpenGroup | null> {
  const at = id.lastIndexOf("~");
  return at < 1 ? null : groupAt(call, id.slice(0, at), id.slice(at + 1));
}

export async function groupOfName(call: Pick<Call, "desk" | "directory">, name: string): Promise<OpenGroup | null> {
  const at = name.indexOf("/");
  return at < 1 ? null : groupAt(call, name.slice(0, at), name.slice(at + 1));
}

export async function allGroups({ desk, directory }: Pick<Call, "desk" | "directory">): Promise<OpenGroup[]> {
  const groups: OpenGroup[] = [];
  for (const of of await selectContractsWith(desk.database, directory.vendor)) {
    if (!isInForce(of)) continue;
    const { roles } = await desk.bundles.bundleOf(desk.database, of.id, of.bundleDigest);
    groups.push(...Object.keys(roles).map((role) => ({ contract: of.id, role, of })));
  }
  return groups;
}

async function groupAt({ desk, directory }: Pick<Call, "desk" | "directory">, contract: string, role: string): Promise<OpenGroup | null> {
  const of = isId(contract) ? await selectContract(desk.database, contract as ContractId) : null;
  if (of?.vendor !== directory.vendor || !isInForce(of)) return null;
  const { roles } = await desk.bundles.bundleOf(desk.database, of.id, of.bundleDigest);
  return Object.hasOwn(roles, role) ? { contract: of.id, role, of } : null;
}

/** Drafts are the merchant's own matter still, and what is over seats nobody. */
function isInForce(contract: Contract): boolean {
  return ["not_started", "active", "winding_down", "suspended"].includes(standingAt(contract, contract.readAt));
}

export interface Filled {
  readonly group: OpenGroup;
  readonly members: readonly Member[];
}

/** `wanted`: who is to be a member, of those who are. */
export async function fillGroup(
  call: Call,
  id: string,
  wanted: (members: ReadonlySet<string>, displayName: string) => Told<ReadonlySet<string>>,
): Promise<Told<Filled>> {
  const { desk, directory, ifMatch } = call;
  const group = await groupOfId(call, id);
  if (!group) return notThere;
  const members = await selectMembers(desk.database, directory.vendor, group);
  if (!isMatched(ifMatch, versionOfGroup(members))) return changedMeanwhile;
  const present = new Set(members.map(({ user }) => user));
  const asked = wanted(present, nameOfGroup(group));
  if (!asked.ok) return asked;
  const removed = members.filter(({ user }) => !asked.value.has(user));
  const added = await newcomers(call, group, without(asked.value, present));
  if (!added.ok) return added;
  if (removed.length + added.value.length > membersMax) return refuseAs("tooMany", `At most ${membersMax} members come or go at once`);
  return write(call, group, { added: added.value, removed });
}

/** Who may be seated there, or what keeps one of them out. */
async function newcomers({ desk, directory }: Call, group: OpenGroup, ids: ReadonlySet<string>): Promise<Told<readonly ScimUser[]>> {
  const { database, bundles, offices } = desk;
  const users = await selectUsersById(database, directory.vendor, [...ids]);
  if (users.length < ids.size) return refuseAs("invalidValue", "A member is none of the users");
  if (users.length > 0 && isInLastDays(group.of, group.of.readAt))
    return refuseAs("invalidValue", "The contract is in its last days, and seats nobody new");
  // Whoever sits there already may go, and the door refuses them until then.
  if (users.length > 0 && !mayHold(await bundles.bundleOf(database, group.contract, group.of.bundleDigest), group.role))
    return refuseAs("invalidValue", "The contract allows no seat of this role");
  if (users.some((user) => offices.officeAt(group.of, user) !== null))
    return refuseAs("invalidValue", "A member holds an office at this contract");
  return (await haveOtherSeats(database, group, users)) ? otherSeat : ok(users);
}

const otherSeat = refuseAs("uniqueness", "A member has another role at this contract, or looks like somebody who has a seat there");

interface Change {
  readonly added: readonly ScimUser[];
  readonly removed: readonly Member[];
}

async function write(call: Call, group: OpenGroup, { added, removed }: Change): Promise<Told<Filled>> {
  const { desk, visit, directory, ifMatch } = call;
  const { vendor, actor } = directory;
  const note = async (of: Contract, refused: string | null) => {
    const log = await logAt(desk, directory, of);
    const named = (people: readonly { issuer: string; subject: string }[]) =>
      people.map(({ issuer, subject }) => actorPseudonym(log.pseudonymKey, { role: "agent", issuer, subject }));
    await desk.audit.append(log, {
      event: "seats.provisioned",
      actor,
      request: visit.request,
      outcome: refused === null ? { effect: "allow", code: "provisioned" } : { effect: "deny", code: refused },
      facts: { contract: group.contract, role: group.role, added: named(added), removed: named(removed) },
    });
  };
  await note(group.of, null);
  const written = await refusableTransaction<readonly Member[]>(desk.database, async (tx) => {
    const late = await refusalOf(tx, group, added.length > 0);
    if (late) return refuse(late);
    if (ifMatch !== null) {
      await lockDirectory(tx, vendor);
      const now = await selectMembers(tx, vendor, group);
      if (!isMatched(ifMatch, versionOfGroup(now))) return refuse({ code: "busy" });
    }
    await removeMembers(tx, group, removed);
    // Another request, with somebody who looks the same or for another role, was quicker.
    const isWritten = await putMembers(tx, group, added);
    return isWritten ? ok(await selectMembers(tx, vendor, group)) : refuse({ code: "unacceptable" });
  });
  if (written.ok) return ok({ group, members: written.value });
  await note((await selectContract(desk.database, group.contract)) ?? group.of, written.refusal.code);
  return told(written);
}

/** The purge's fence waits for this transaction, and after it no seat is written. */
async function refusalOf(tx: Queryable, { contract }: Group, isAdding: boolean): Promise<Refusal | null> {
  const now = await shareContract(tx, contract);
  if (!now || !isInForce(now)) return { code: "wrong_state" };
  return isAdding && isInLastDays(now, now.readAt) ? { code: "winding_down" } : null;
}

function told({ refusal }: Extract<Result<unknown, Refusal>, { ok: false }>): Told<never> {
  if (refusal.code === "busy") return changedMeanwhile;
  return refusal.code === "unacceptable" ? otherSeat : notThere;
}
