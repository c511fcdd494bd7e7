/** SCIM 2.0 for vendors' directories (RFC 7643, 7644): `/v1/scim/{vendor}/v2`, by the vendor's own token; docs/SCIM.md. */
import type { Answer, Received, Route } from "../http/index.ts";
import { type Json, ok } from "../kernel/index.ts";
import { resourceTypes, schemas, serviceProviderConfig } from "./documents.ts";
import type { ScimDesk } from "./enter.ts";
import { groupActs } from "./group-routes.ts";
import { readPatch, readResource } from "./patch.ts";
import { type ScimUser, selectUser, selectUsers } from "./postgres-users.ts";
import { baseOf, userResources } from "./resources.ts";
import { type Act, filterOf, listQuery, pageOf, scimRoute, shownQuery } from "./scim-route.ts";
import { tokenRoutes } from "./token-routes.ts";
import { answerDocument, answerList, answerNothing, answerResource, notThere, shownOf, showOnly, type Told, userSchema } from "./told.ts";
import { type Call, createUser, patchUser, removeUser, replaceUser } from "./users.ts";

export function scimRoutes(desk: ScimDesk): Route[] {
  const acts = [...documentActs, ...userActs, ...groupActs];
  return [...tokenRoutes(desk), ...acts.map((act) => scimRoute(desk, act))];
}

const documentAct = (path: string, summary: string, document: (base: string) => Answer): Act => ({
  ...{ method: "GET", path, summary, status: 200, event: "scim.read" },
  handle: ({ desk, directory }) => Promise.resolve(ok(document(baseOf(desk.origin, directory.vendor)))),
});
const all = (resources: readonly object[]) => answerList({ resources, total: resources.length, startIndex: 1 });

const documentActs: readonly Act[] = [
  documentAct("/ServiceProviderConfig", "What this SCIM service can", (base) => answerDocument(serviceProviderConfig(base))),
  documentAct("/ResourceTypes", "Which resources it has", (base) => all(resourceTypes(base))),
  documentAct("/Schemas", "Which attributes it keeps", (base) => all(schemas(base))),
];

const userFilters = ["username", "externalid", "id"] as const;
const userBody = "A user (RFC 7643 §4.1). What is not kept is taken and forgotten.";

const userActs: readonly Act[] = [
  {
    ...{
      method: "GET",
      path: "/Users",
      summary: "The vendor's people, or the one whose attribute equals a value",
      status: 200,
      event: "scim.read",
    },
    query: listQuery,
    handle: listUsers,
  },
  {
    ...{ method: "POST", path: "/Users", summary: "A person comes to the vendor", status: 201, event: "scim.user_changed", body: userBody },
    query: shownQuery,
    async handle(call, received) {
      const attributes = readResource(received.body as Json, userSchema);
      return attributes.ok ? answerUser(call, received, await createUser(call, attributes.value), 201) : attributes;
    },
  },
  {
    ...{ method: "GET", path: "/Users/{user}", summary: "One of the vendor's people", status: 200, event: "scim.read" },
    query: shownQuery,
    async handle(call, received) {
      const user = await selectUser(call.desk.database, call.directory.vendor, idIn(received));
      return answerUser(call, received, user ? ok(user) : notThere);
    },
  },
  {
    ...{
      method: "PUT",
      path: "/Users/{user}",
      summary: "Replace what is kept of a person",
      status: 200,
      event: "scim.user_changed",
      body: userBody,
    },
    query: shownQuery,
    async handle(call, received) {
      const attributes = readResource(received.body as Json, userSchema);
      return attributes.ok ? answerUser(call, received, await replaceUser(call, idIn(received), attributes.value)) : attributes;
    },
  },
  {
    ...{ method: "PATCH", path: "/Users/{user}", summary: "Change a person; inactive, they have no access from the next request on" },
    ...{ status: 200, event: "scim.user_changed", body: "A PatchOp (RFC 7644 §3.5.2)." },
    query: shownQuery,
    async handle(call, received) {
      const operations = readPatch(received.body as Json);
      return operations.ok ? answerUser(call, received, await patchUser(call, idIn(received), operations.value)) : operations;
    },
  },
  {
    ...{
      method: "DELETE",
      path: "/Users/{user}",
      summary: "A person leaves the vendor, and each of their seats",
      status: 204,
      event: "scim.user_changed",
    },
    async handle(call, received) {
      const removed = await removeUser(call, idIn(received));
      return removed.ok ? ok(answerNothing) : removed;
    },
  },
];

function idIn({ params }: Received): string {
  return params.user ?? "";
}

async function answerUser(call: Call, { query }: Received, user: Told<ScimUser>, status = 200): Promise<Told<Answer>> {
  if (!user.ok) return user;
  const shown = shownOf(query);
  const [resource] = await userResources(call, [user.value], shown);
  return resource ? ok(answerResource(resource, shown, status)) : notThere;
}

async function listUsers(call: Call, { query }: Received): Promise<Told<Answer>> {
  const filter = filterOf(query, userFilters);
  if (!filter.ok) return filter;
  const { startIndex, count } = pageOf(query);
  const { database } = call.desk;
  const { items, total } = await selectUsers(database, call.directory.vendor, { filter: filter.value, skip: startIndex - 1, count });
  const shown = shownOf(query);
  const resources = (await userResources(call, items, shown)).map((resource) => showOnly(resource, shown));
  return ok(answerList({ resources, total, startIndex }));
}
