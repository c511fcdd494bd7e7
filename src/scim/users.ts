/**
 * The people of a vendor's directory:  read → checked → log → written. Whoever is inactive, or deleted, has no access at any of the vendor's contracts from
 * the next request on: it is read with the data. Each contract at which they have a seat has its entry.
 */
import { uuidv7 } from "uuidv7";
import { actorPseudonym } from "../audit/index.ts";
import { ok } from "../kernel/index.ts";
import type { Visit } from "../offices/index.ts";
import { type Directory, logAt, noteScim, type ScimDesk } from "./enter.ts";
import type { Attributes, Operation } from "./patch.ts";
import { leaveSeats, type Person, renameSeats, selectContractsSeating } from "./postgres-members.ts";
import { deleteUser, insertUser, isTaken, type ScimUser, selectUser, type UserFields, updateUser } from "./postgres-users.ts";
import { changedMeanwhile, isMatched, notThere, refuseAs, type Told } from "./told.ts";
import { applyToFields, fieldsOfResource } from "./user-fields.ts";

/** One request of a directory that came through the door. */
export interface Call {
  readonly desk: ScimDesk;
  readonly visit: Visit;
  readonly directory: Directory;
  /** `null` = any version. */
  readonly ifMatch: string | null;
}

const taken = refuseAs("uniqueness", "Somebody has this userName or subject, or one that looks like it");

export async function createUser(call: Call, attributes: Attributes): Promise<Told<ScimUser>> {
  const { desk, directory } = call;
  const { vendor, profile } = directory;
  const fields = fieldsOfResource(attributes, { active: true });
  if (!fields.ok) return fields;
  const subject = subjectOf(directory, fields.value);
  if (subject === null) return refuseAs("invalidValue", "externalId is this vendor's people's subject, and is needed");
  const user = { id: uuidv7(), issuer: profile.issuer, subject, ...fields.value };
  if (await isTaken(desk.database, vendor, user)) return taken;
  await noteChange(call, user, "created");
  if (!user.active) await noteSeats(call, user, false);
  const created = await insertUser(desk.database, vendor, user);
  return created ? ok(created) : taken;
}

export async function replaceUser(call: Call, id: string, attributes: Attributes): Promise<Told<ScimUser>> {
  const user = await standing(call, id);
  if (!user.ok) return user;
  const fields = fieldsOfResource(attributes, user.value);
  return fields.ok ? change(call, user.value, fields.value) : fields;
}

export async function patchUser(call: Call, id: string, operations: readonly Operation[]): Promise<Told<ScimUser>> {
  const user = await standing(call, id);
  if (!user.ok) return user;
  const fields = applyToFields(user.value, operations);
  return fields.ok ? change(call, user.value, fields.value) : fields;
}

export async function removeUser(call: Call, id: string): Promise<Told<void>> {
  const { desk, directory } = call;
  const found = await standing(call, id);
  if (!found.ok) return found;
  const user = found.value;
  await noteChange(call, user, "deleted");
  await noteSeats(call, user, false);
  const isDeleted = await desk.database.transaction(async (tx) => {
    if (!(await deleteUser(tx, directory.vendor, user))) return false;
    await leaveSeats(tx, directory.vendor, user);
    return true;
  });
  return isDeleted ? ok(undefined) : changedMeanwhile;
}

async function standing({ desk, directory, ifMatch }: Call, id: string): Promise<Told<ScimUser>> {
  const user = await selectUser(desk.database, directory.vendor, id);
  if (!user) return notThere;
  return isMatched(ifMatch, versionOf(user)) ? ok(user) : changedMeanwhile;
}

async function change(call: Call, user: ScimUser, fields: UserFields): Promise<Told<ScimUser>> {
  const { desk, directory } = call;
  const { vendor } = directory;
  if (subjectOf(directory, fields) !== user.subject)
    return refuseAs("mutability", "The subject of a person does not change: delete and create");
  const next = { ...user, ...fields };
  if (await isTaken(desk.database, vendor, next)) return taken;
  const code = fields.active === user.active ? "changed" : fields.active ? "activated" : "deactivated";
  await noteChange(call, user, code);
  if (code !== "changed") await noteSeats(call, user, fields.active);
  const updated = await desk.database.transaction(async (tx) => {
    const written = await updateUser(tx, vendor, user, fields);
    if (written && fields.name !== user.name) await renameSeats(tx, vendor, next);
    return written;
  });
  return updated ? ok(updated) : changedMeanwhile;
}

export function versionOf({ version }: Pick<ScimUser, "version">): string {
  return `W/"${version}"`;
}

/** `null` = the request does not say it. */
function subjectOf({ profile }: Directory, { login, externalId }: UserFields): string | null {
  return profile.subject === "user_name" ? login : externalId;
}

function pseudonymOf(key: Uint8Array, { issuer, subject }: Pick<Person, "issuer" | "subject">): string {
  return actorPseudonym(key, { role: "agent", issuer, subject });
}

async function noteChange({ desk, visit, directory }: Call, user: Pick<Person, "issuer" | "subject">, code: string): Promise<void> {
  const person = pseudonymOf(directory.log.pseudonymKey, user);
  await noteScim(desk, visit, directory, { event: "scim.user_changed", outcome: { effect: "allow", code }, facts: { person } });
}

/** Of a seat that is not given back by activity alone (the merchant took it away, or the person left its group) it is said, too: it is about the person. */
async function noteSeats(call: Call, user: Pick<Person, "issuer" | "subject">, isActive: boolean): Promise<void> {
  const { desk, visit, directory } = call;
  for (const contract of await selectContractsSeating(desk.database, directory.vendor, user)) {
    const log = await logAt(desk, directory, contract);
    await desk.audit.append(log, {
      event: isActive ? "seat.restored" : "seat.revoked",
      actor: directory.actor,
      request: visit.request,
      outcome: { effect: "allow", code: isActive ? "restored" : "revoked" },
      facts: { contract: contract.id, agent: pseudonymOf(log.pseudonymKey, user), reason: "directory" },
    });
  }
}
