/** The `writes` of a connector's file: what is wrong with them, and what is kept of them. */
import { parsePath } from "../masking/index.ts";
import { type Problem, quote, type Source } from "../policy/index.ts";
import type { ConnectorWrite, WriteMethod } from "./connector.ts";
import type { FileShape } from "./written.ts";

type WriteShape = FileShape["writes"][number];

export function writeProblems({ writes, routes, settings }: FileShape, source: Source): Problem[] {
  return writes.flatMap((write, index) => {
    const { method, path } = methodOf(write);
    const at = ["writes", index, method.toLowerCase()];
    const isEarlier = writes.slice(0, index).some((other) => shapeOf(other) === shapeOf(write));
    const reads = readsOf(write);
    const shown = routes.find(({ get, where }) => get === reads && Object.keys(where).length === 0);
    const missing = `no route shows ${quote(reads ?? "")} before it is written`;
    return [
      ...(isEarlier ? [source.valueProblem(at, "wrong_value", "another write has this path already", "keep one of them")] : []),
      ...(reads !== undefined && (shown === undefined || shown.records.endsWith("[]"))
        ? [
            source.valueProblem(
              write.reads === undefined ? at : ["writes", index, "reads"],
              "missing",
              missing,
              "give it a get route of one record",
            ),
          ]
        : []),
      ...(write.reads !== undefined && write.reads.includes("{id}") !== path.includes("{id}")
        ? [source.valueProblem(["writes", index, "reads"], "wrong_value", "one of the two paths has an id and the other has none")]
        : []),
      ...[...path.matchAll(/\{(\w+)\}/g)]
        .filter(([, name = ""]) => name !== "id" && (!Object.hasOwn(settings, name) || settings[name] !== "id"))
        .map(([, name = ""]) => source.valueProblem(at, "missing", `no setting ${quote(name)}`, `settings: { ${name}: id }`)),
      ...write.fields.flatMap((field, place) => fieldProblem(field, write, source, ["writes", index, "fields", place])),
    ];
  });
}

function fieldProblem(field: string, { id }: WriteShape, source: Source, at: readonly (string | number)[]): Problem[] {
  if (field === id) return [source.valueProblem([...at], "wrong_value", "a record's id is not written", "take it away")];
  const steps = parsePath(field);
  if (steps !== null && !steps.some((step) => step === "{}" || step === "$")) return [];
  return [
    source.valueProblem([...at], "bad_path", `${quote(field)} is not a path that is written`, "keys and lists, as the policy writes them"),
  ];
}

export function writesIn({ writes }: FileShape, source: Source): ConnectorWrite[] {
  return writes.map((write, index) => {
    const { method, path } = methodOf(write);
    const { resource, id, body, fields, records = body } = write;
    const reads = readsOf(write);
    const { line } = source.placeOf(["writes", index, method.toLowerCase()]);
    return {
      ...{ method, path, resource, id, body: keysIn(body), records: { keys: keysIn(records), list: false as const }, fields, line },
      ...(reads !== undefined && { reads }),
    };
  });
}

/** By itself, where it has an id: what is there already is looked at first. */
function readsOf(write: WriteShape): string | undefined {
  const { path } = methodOf(write);
  return write.reads ?? (path.includes("{id}") ? path : undefined);
}

function methodOf({ post, put, patch }: WriteShape): { readonly method: WriteMethod; readonly path: string } {
  if (post !== undefined) return { method: "POST", path: post };
  return put === undefined ? { method: "PATCH", path: patch ?? "" } : { method: "PUT", path: put };
}

function shapeOf(write: WriteShape): string {
  const { method, path } = methodOf(write);
  return `${method} ${path.replaceAll("{id}", "\u0000")}`;
}

function keysIn(place: string): string[] {
  return place.split(".").slice(1);
}
