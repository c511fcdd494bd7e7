/**
 * Records that were written under one bundle are read under the next. A field whose class moved to another level moves at its record's next write;
 * until then its values lie where they were sealed, so the new bundle says at which levels to look for them.
 */
import { dataClasses } from "../masking/index.ts";
import type { Bundle, Resource } from "./bundle.ts";

/** `next` as it is to be stored where `standing` is in force: knowing what lies where. */
export function carryLevels(standing: Bundle, next: Bundle): Bundle {
  const resources = Object.entries(next.resources).map(([type, resource]) => {
    const known = Object.hasOwn(standing.resources, type) ? standing.resources[type]?.fields : undefined;
    return [type, known === undefined ? resource : { ...resource, fields: carryFields(known, resource.fields) }] as const;
  });
  return { ...next, resources: Object.fromEntries(resources) };
}

function carryFields(standing: Resource["fields"], next: Resource["fields"]): Resource["fields"] {
  const fields = Object.entries(next).map(([path, field]) => {
    const known = Object.hasOwn(standing, path) ? standing[path] : undefined;
    if (known === undefined) return [path, field] as const;
    const own = dataClasses[field.class].level;
    const older = [...new Set([dataClasses[known.class].level, ...(known.older ?? [])])].filter((level) => level !== own).sort();
    return [path, older.length > 0 ? { ...field, older } : field] as const;
  });
  return Object.fromEntries(fields);
}
