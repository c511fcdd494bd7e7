/** A directory's groups: found by their names, filled, and emptied. */
import type { Answer, Received } from "../http/index.ts";
import { type Json, ok } from "../kernel/index.ts";
import { applyToMembers, idsOf } from "./group-members.ts";
import { allGroups, type Filled, fillGroup, groupOfId, groupOfName, idOfGroup, type OpenGroup } from "./groups.ts";
import { type Attributes, readPatch, readResource } from "./patch.ts";
import { selectMembers } from "./postgres-members.ts";
import { groupResource } from "./resources.ts";
import { type Act, filterOf, listQuery, pageOf, shownQuery } from "./scim-route.ts";
import {
  answerList,
  answerNothing,
  answerResource,
  groupSchema,
  notThere,
  refuseAs,
  type Shown,
  shownOf,
  showOnly,
  type Told,
} from "./told.ts";
import type { Call } from "./users.ts";

const groupBody = "A group (RFC 7643 §4.2): its members count, its name is the contract's.";

export const groupActs: readonly Act[] = [
  {
    ...{ method: "GET", path: "/Groups", summary: "The roles at the vendor's contracts in force", status: 200, event: "scim.read" },
    query: listQuery,
    handle: listGroups,
  },
  {
    ...{ method: "POST", path: "/Groups", summary: "Take up a group by its name; its members come to those who are there", status: 201 },
    ...{ event: "seats.provisioned", body: groupBody, query: shownQuery },
    handle: takeUp,
  },
  {
    ...{ method: "GET", path: "/Groups/{group}", summary: "One role at one contract, and who sits there", status: 200, event: "scim.read" },
    query: shownQuery,
    async handle(call, received) {
      const group = await groupOfId(call, idIn(received));
      return group ? answerGroup(call, received, ok(await withMembers(call, group))) : notThere;
    },
  },
  {
    ...{
      method: "PUT",
      path: "/Groups/{group}",
      summary: "Who sits there, instead of those who do",
      status: 200,
      event: "seats.provisioned",
    },
    ...{ body: groupBody, query: shownQuery },
    async handle(call, received) {
      const attributes = readResource(received.body as Json, groupSchema);
      if (!attributes.ok) return attributes;
      const filled = await fillGroup(call, idIn(received), (_, name) => membersIn(attributes.value, name));
      return answerGroup(call, received, filled);
    },
  },
  {
    ...{ method: "PATCH", path: "/Groups/{group}", summary: "Seat members, or take their seats", status: 200, event: "seats.provisioned" },
    ...{ body: "A PatchOp (RFC 7644 §3.5.2).", query: shownQuery },
    async handle(call, received) {
      const operations = readPatch(received.body as Json);
      if (!operations.ok) return operations;
      const apply = (members: ReadonlySet<string>, displayName: string) => applyToMembers({ members, displayName }, operations.value);
      return answerGroup(call, received, await fillGroup(call, idIn(received), apply));
    },
  },
  {
    ...{
      method: "DELETE",
      path: "/Groups/{group}",
      summary: "Nobody sits there any more; the group stays",
      status: 204,
      event: "seats.provisioned",
    },
    async handle(call, received) {
      const emptied = await fillGroup(call, idIn(received), () => ok(new Set()));
      return emptied.ok ? ok(answerNothing) : emptied;
    },
  },
];

function idIn({ params }: Received): string {
  return params.group ?? "";
}

/** Of a whole group, which may repeat its name and not change it. */
function membersIn(attributes: Attributes, displayName: string): Told<ReadonlySet<string>> {
  const said = attributes.get("displayname") ?? displayName;
  return said === displayName ? idsOf(attributes.get("members")) : refuseAs("mutability", "displayName is the contract's");
}

async function answerGroup(call: Call, { query }: Received, filled: Told<Filled>, status = 200): Promise<Told<Answer>> {
  return filled.ok ? ok(answerResource(groupResource(call, filled.value), shownOf(query), status)) : filled;
}

/** Directories that push a group create it first: a group of the contract's is theirs from then on, and none is made. */
async function takeUp(call: Call, received: Received): Promise<Told<Answer>> {
  const attributes = readResource(received.body as Json, groupSchema);
  if (!attributes.ok) return attributes;
  const name = attributes.value.get("displayname");
  const group = typeof name === "string" ? await groupOfName(call, name) : null;
  const asked = idsOf(attributes.value.get("members"));
  if (!group) return refuseAs("invalidValue", "displayName is none of the groups: contract/role");
  if (!asked.ok) return asked;
  const filled = await fillGroup(call, idOfGroup(group), (members) => ok(new Set([...members, ...asked.value])));
  return answerGroup(call, received, filled, 201);
}

async function withMembers({ desk, directory }: Call, group: OpenGroup): Promise<Filled> {
  return { group, members: await selectMembers(desk.database, directory.vendor, group) };
}

async function listGroups(call: Call, { query }: Received): Promise<Told<Answer>> {
  const filter = filterOf(query, ["displayname", "id"]);
  if (!filter.ok) return filter;
  const groups = await groupsNamed(call, filter.value);
  const { startIndex, count } = pageOf(query);
  const shown = shownOf(query);
  const resources: object[] = [];
  for (const group of groups.slice(startIndex - 1, startIndex - 1 + count)) resources.push(await listed(call, group, shown));
  return ok(answerList({ resources, total: groups.length, startIndex }));
}

async function groupsNamed(call: Call, filter: { readonly by: "displayname" | "id"; readonly value: string } | null): Promise<OpenGroup[]> {
  if (filter === null) return allGroups(call);
  const found = await (filter.by === "id" ? groupOfId(call, filter.value) : groupOfName(call, filter.value));
  return found ? [found] : [];
}

async function listed(call: Call, group: OpenGroup, shown: Shown): Promise<object> {
  return showOnly(groupResource(call, await withMembers(call, group)), shown);
}
