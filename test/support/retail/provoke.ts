/** Requests that go wrong with a customer's value in them, one of each kind, and what each is answered with. */

import type { Door } from "../agreement.ts";
import type { CallOptions } from "../gateway.ts";
import type { RetailRecord } from "./data.ts";
import { type FoundLeak, retailContract, retailRecords, scanAnswer, takeAnswer } from "./journeys.ts";

interface Provocation {
  readonly statuses: readonly number[];
  readonly method: string;
  readonly path: string;
  readonly options: CallOptions;
}

const somebody = `r_${"a".repeat(26)}`;
const ndjson = { "content-type": "application/x-ndjson" };
const audit = `/v1/contracts/${retailContract}/audit/entries`;
const searchBytesMax = 4_096;

/** Sends them all and looks for any value of the record in the answers. Throws where a status is another. */
export async function provokeAndScan(door: Door, record: RetailRecord): Promise<FoundLeak[]> {
  const leaks: FoundLeak[] = [];
  for (const value of record.secrets.slice(0, 6)) {
    for (const { statuses, method, path, options } of provocations(record, value)) {
      const response = await door.call(method, path, options);
      const what = `${response.status} ${method} ${path.replaceAll(encodeURIComponent(value), "…")}`;
      if (!statuses.includes(response.status)) throw new Error(`expected ${statuses.join(" or ")}, got ${what}: ${await response.text()}`);
      leaks.push(...scanAnswer(what, await takeAnswer(response), [...record.secrets, ...record.shown]));
    }
  }
  return leaks;
}

function provocations(record: RetailRecord, value: string): Provocation[] {
  return [...ofPaths(record, value), ...ofSearches(record, value), ...ofHeaders(record, value), ...ofOffices(record, value)];
}

function ofPaths({ type }: RetailRecord, value: string): Provocation[] {
  const text = encodeURIComponent(value);
  const get = (path: string, ...statuses: number[]): Provocation => ({ statuses, method: "GET", path, options: { as: "agent-1" } });
  return [
    get(`${retailRecords}/${type}/${somebody}`, 404),
    get(`${retailRecords}/${type}/${text}`, 400),
    get(`${retailRecords}/${type}/${somebody}?q=${text}`, 400),
    get(`${retailRecords}/${text}/${somebody}`, 400, 404),
    get(`/v1/contracts/${text}/records/${type}/${somebody}`, 400, 404),
    get(`/v1/${text}`, 404),
    { statuses: [405], method: "DELETE", path: `${retailRecords}/${type}/${somebody}`, options: { as: "agent-1", body: { value } } },
  ];
}

function ofSearches({ type }: RetailRecord, value: string): Provocation[] {
  const search = (body: unknown, ...statuses: number[]): Provocation => ({
    statuses,
    method: "POST",
    path: `${retailRecords}/${type}/search`,
    options: { as: "agent-1", body, headers: { "content-type": "application/json" } },
  });
  const asText = search(JSON.stringify({ by: { id: value } }), 415);
  return [
    search({ by: { "name.first_name": value } }, 403),
    search({ by: { [value]: value } }, 403),
    search({ by: { id: value, email: value } }, 422),
    search({ by: { id: value }, [value]: value }, 422),
    search(`{"by":{"id":${JSON.stringify(value)}`, 400),
    search(`{"by":{"id":${JSON.stringify(value)},"id":${JSON.stringify(value)}}}`, 400),
    search({ by: { id: value.padEnd(searchBytesMax, value) } }, 413),
    { ...asText, options: { ...asText.options, headers: { "content-type": "text/plain" } } },
  ];
}

function ofHeaders({ type }: RetailRecord, value: string): Provocation[] {
  const compact = encodeURIComponent(value);
  const search = (headers: Record<string, string>, statuses: number[], as?: string): Provocation => ({
    statuses,
    method: "POST",
    path: `${retailRecords}/${type}/search`,
    options: { ...(as === undefined ? {} : { as }), body: { by: { id: "nobody" } }, headers },
  });
  return [
    search({ "postern-ticket": compact, "user-agent": value }, [200], "agent-1"),
    search({ "postern-ticket": `ticket of ${value}` }, [400], "agent-1"),
    search({ "postern-purpose": compact }, [422], "agent-1"),
    search({ "user-agent": value }, [401]),
    search({ authorization: `Bearer ${compact}` }, [401]),
    search({ authorization: `Bearer ${compact}, Bearer ${compact}` }, [400]),
    search({ "user-agent": value }, [404], compact),
  ];
}

function ofOffices({ type, line }: RetailRecord, value: string): Provocation[] {
  const text = encodeURIComponent(value);
  const quoted = JSON.stringify(value);
  const lines = [
    line.slice(0, -1),
    `${line}${line}`,
    quoted,
    `{"id":{${quoted}:1}}`,
    `{"name":${quoted}}`,
    `{"id":1,${quoted}:${quoted}}`,
    "",
  ];
  const importing = { as: "owner-1", body: lines.join("\n"), headers: ndjson };
  return [
    { statuses: [200], method: "POST", path: `${retailRecords}/${type}/import`, options: importing },
    { statuses: [400, 404], method: "POST", path: `${retailRecords}/${text}/import`, options: importing },
    { statuses: [403], method: "POST", path: `${retailRecords}/${type}/import`, options: { ...importing, as: "agent-1" } },
    { statuses: [400, 404], method: "POST", path: `/v1/approvals/${text}/approve`, options: { as: "owner-1" } },
    { statuses: [200, 400], method: "GET", path: `${audit}?actor=${text}`, options: { as: "officer" } },
    { statuses: [200, 400], method: "GET", path: `${audit}?subject=${text}`, options: { as: "officer" } },
    { statuses: [400], method: "GET", path: `${audit}?cursor=${text}`, options: { as: "officer" } },
    { statuses: [403], method: "GET", path: audit, options: { as: "agent-1" } },
  ];
}
