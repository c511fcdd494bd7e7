/** Memberships in a vendor's groups, which are seats: `postern.seat` where `scim` says so. */
import { type Contract, type ContractState, likenessOf } from "../contracts/index.ts";
import type { ContractId } from "../kernel/index.ts";
import { databaseNowText, type Queryable } from "../storage/index.ts";

export interface Person {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
}

/** A SCIM user as a group shows one. */
export interface Member extends Person {
  readonly user: string;
}

export interface Group {
  readonly contract: ContractId;
  readonly role: string;
}

const membersText = `select u.user_id, u.issuer, u.subject, u.name, ${databaseNowText}
  from postern.seat s join postern.scim_user u on u.vendor = $1 and u.issuer = s.issuer and u.subject = s.subject
  where s.contract_id = $2 and s.role = $3 and s.scim = 'member' order by u.user_id`;

export async function selectMembers(database: Queryable, vendor: string, { contract, role }: Group): Promise<Member[]> {
  const rows = await database.query(membersText, [vendor, contract, role]);
  return rows.map(([user, issuer, subject, name]) => ({
    ...{ user: String(user), issuer: String(issuer), subject: String(subject), name: String(name) },
  }));
}

const groupsText = `select u.user_id, s.contract_id, s.role, ${databaseNowText}
  from postern.scim_user u join postern.seat s on s.issuer = u.issuer and s.subject = u.subject and s.scim = 'member'
  join postern.contract c on c.contract_id = s.contract_id and c.vendor = u.vendor and c.state = 'active'
  where u.vendor = $1 and u.user_id in (select jsonb_array_elements_text($2::text::jsonb)) order by s.contract_id`;

/** By the user's id. */
export async function selectGroupsOf(database: Queryable, vendor: string, users: readonly string[]): Promise<Map<string, Group[]>> {
  const groups = new Map<string, Group[]>();
  for (const [user, contract, role] of await database.query(groupsText, [vendor, JSON.stringify(users)])) {
    const known = groups.get(String(user)) ?? [];
    groups.set(String(user), [...known, { contract: String(contract) as ContractId, role: String(role) }]);
  }
  return groups;
}

const seatingText = `select c.contract_id, c.state, ${databaseNowText} from postern.seat s join postern.contract c on c.contract_id = s.contract_id
  where c.vendor = $1 and s.issuer = $2 and s.subject = $3 and c.state in ('draft', 'active', 'ended') order by c.contract_id`;

/** The vendor's contracts at which somebody has a seat, or had one. */
export async function selectContractsSeating(
  database: Queryable,
  vendor: string,
  { issuer, subject }: Pick<Person, "issuer" | "subject">,
): Promise<Pick<Contract, "id" | "state">[]> {
  const rows = await database.query(seatingText, [vendor, issuer, subject]);
  return rows.map(([id, state]) => ({ id: String(id) as ContractId, state: String(state) as ContractState }));
}

// One order for everybody, as in `putSeats`.
const putText = `insert into postern.seat as s (contract_id, issuer, subject, role, name, likeness, scim)
  select $1, p.issuer, p.subject, $2, p.name, p.likeness, 'member'
  from jsonb_to_recordset($3::text::jsonb) as p(issuer text, subject text, name text, likeness text) order by p.issuer, p.likeness
  on conflict (contract_id, issuer, likeness) do update set role = excluded.role, name = excluded.name, scim = 'member',
    approved_role = case when s.role = excluded.role then s.approved_role end
  where s.subject = excluded.subject and (s.scim = 'left' or s.role = excluded.role) returning s.subject`;

/** `false`: somebody has another role there, or a subject that looks the same; then the transaction has to be rolled back. */
export async function putMembers(tx: Queryable, { contract, role }: Group, people: readonly Person[]): Promise<boolean> {
  if (people.length === 0) return true;
  const rows = people.map(({ issuer, subject, name }) => ({ issuer, subject, name, likeness: likenessOf(subject) }));
  return (await tx.query(putText, [contract, role, JSON.stringify(rows)])).length === people.length;
}

const conflictsText = `select s.subject, ${databaseNowText} from jsonb_to_recordset($3::text::jsonb) as p(issuer text, subject text, likeness text)
  join postern.seat s on s.contract_id = $1 and s.issuer = p.issuer and s.likeness = p.likeness
  where not (s.subject = p.subject and (s.scim = 'left' or s.role = $2))`;

/** Whether `putMembers` would refuse them. */
export async function haveOtherSeats(database: Queryable, { contract, role }: Group, people: readonly Person[]): Promise<boolean> {
  const rows = people.map(({ issuer, subject }) => ({ issuer, subject, likeness: likenessOf(subject) }));
  return people.length > 0 && (await database.query(conflictsText, [contract, role, JSON.stringify(rows)])).length > 0;
}

const removeText = `update postern.seat s set scim = 'left' from jsonb_to_recordset($3::text::jsonb) as p(issuer text, subject text)
  where s.contract_id = $1 and s.role = $2 and s.scim = 'member' and s.issuer = p.issuer and s.subject = p.subject`;

export async function removeMembers(tx: Queryable, { contract, role }: Group, people: readonly Person[]): Promise<void> {
  const rows = people.map(({ issuer, subject }) => ({ issuer, subject }));
  if (rows.length > 0) await tx.query(removeText, [contract, role, JSON.stringify(rows)]);
}

const ofPerson = "from postern.contract c where c.contract_id = s.contract_id and c.vendor = $1 and s.issuer = $2 and s.subject = $3";

/** Whoever is in the vendor's directory no more sits at none of its contracts, whoever seated them. */
export async function leaveSeats(tx: Queryable, vendor: string, { issuer, subject }: Pick<Person, "issuer" | "subject">): Promise<void> {
  await tx.query(`update postern.seat s set scim = 'left' ${ofPerson}`, [vendor, issuer, subject]);
}

export async function renameSeats(tx: Queryable, vendor: string, { issuer, subject, name }: Person): Promise<void> {
  await tx.query(`update postern.seat s set name = $4 ${ofPerson} and s.scim = 'member'`, [vendor, issuer, subject, name]);
}
