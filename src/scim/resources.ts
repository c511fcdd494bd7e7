/** Users and groups as a directory sees them. */

import { type Filled, idOfGroup, nameOfGroup, versionOfGroup } from "./groups.ts";
import { type Group, type Member, selectGroupsOf } from "./postgres-members.ts";
import type { ScimUser } from "./postgres-users.ts";
import { groupSchema, isShown, type Resource, type Shown, userSchema } from "./told.ts";
import { type Call, versionOf } from "./users.ts";

type At = Pick<Call, "desk" | "directory">;

export async function userResources(at: At, users: readonly ScimUser[], shown: Shown): Promise<Resource[]> {
  const ids = users.map(({ id }) => id);
  const groups =
    isShown(shown, "groups") && ids.length > 0
      ? await selectGroupsOf(at.desk.database, at.directory.vendor, ids)
      : new Map<string, Group[]>();
  return users.map((user) => userResource(at, user, groups.get(user.id) ?? []));
}

function userResource(at: At, user: ScimUser, groups: readonly Group[]): Resource & Readonly<Record<string, unknown>> {
  const { id, login, externalId, name, active } = user;
  return {
    schemas: [userSchema],
    id,
    ...(externalId !== null && { externalId }),
    ...{ userName: login, displayName: name, active },
    groups: groups.map((group) => ({
      value: idOfGroup(group),
      display: nameOfGroup(group),
      $ref: locationOf(at, "Groups", idOfGroup(group)),
    })),
    meta: {
      resourceType: "User",
      created: new Date(user.createdAt).toISOString(),
      lastModified: new Date(user.changedAt).toISOString(),
      location: locationOf(at, "Users", id),
      version: versionOf(user),
    } as Resource["meta"],
  };
}

export function groupResource(at: At, { group, members }: Filled): Resource & Readonly<Record<string, unknown>> {
  const id = idOfGroup(group);
  return {
    schemas: [groupSchema],
    id,
    displayName: nameOfGroup(group),
    members: members.map((member) => memberOf(at, member)),
    meta: { resourceType: "Group", location: locationOf(at, "Groups", id), version: versionOfGroup(members) } as Resource["meta"],
  };
}

function memberOf(at: At, { user, name }: Member): object {
  return { value: user, display: name, type: "User", $ref: locationOf(at, "Users", user) };
}

function locationOf({ desk, directory }: At, kind: "Users" | "Groups", id: string): string {
  return `${baseOf(desk.origin, directory.vendor)}/${kind}/${id}`;
}

export function baseOf(origin: string, vendor: string): string {
  return `${origin.replace(/\/+$/, "")}/v1/scim/${vendor}/v2`;
}
