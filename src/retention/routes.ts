/** What the log's retention will delete, and when:  enter → read → log this reading → answer.  Changes nothing: the keeper prunes by itself. */
import * as z from "zod";
import { emptyLogRow, selectFirstKept, selectKeptMonths, selectLog, selectPublished } from "../audit/index.ts";
import { json, type Route } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { enterContract, type OfficeDoor, type Visit } from "../offices/index.ts";
import type { RetentionTerms } from "./parts.ts";

const retentionSchema = z.object({
  retention_months: z.int(),
  /** Whether a hold stands against it. */
  held: z.boolean(),
  size: z.int(),
  /** Entries before this place are gone. */
  pruned_before: z.int(),
  /** Oldest first: the month whose key goes, not before `due`, and with it the entries before place `first_kept`. */
  months: z.array(z.object({ month: z.string(), due: z.string(), first_kept: z.int(), entries: z.int() })),
});
type Retention = z.infer<typeof retentionSchema>;

export type RetentionDesk = OfficeDoor & { readonly retention: RetentionTerms };

async function readRetention(desk: RetentionDesk, visit: Visit, id: ContractId): Promise<Result<Retention, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { database, retention, audit } = desk;
  const { size, minIndex } = (await selectLog(database, id)) ?? emptyLogRow(id, desk.logs.baseOf(id));
  const published = (await selectPublished(database, id))?.size ?? 0;
  const months: Retention["months"][number][] = [];
  let from = minIndex;
  for (const { month, due } of await selectKeptMonths(database, id, retention.months)) {
    const firstKept = await selectFirstKept(database, id, month, { from, published });
    months.push({ month, due, first_kept: firstKept, entries: firstKept - from });
    from = firstKept;
  }
  const held = await retention.held(id);
  const { actor, log } = entered.value;
  const outcome = { effect: "allow", code: "ok" } as const;
  await audit.append(log, { event: "retention.read", actor, request: visit.request, outcome, facts: { contract: id } });
  return ok({ retention_months: retention.months, held, size, pruned_before: minIndex, months });
}

export function retentionRoutes(desk: RetentionDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/audit/retention",
      summary:
        "Officers and owners: what the retention of the contract's log will delete: month by month, when, and whether a hold stands against it",
      answers: { 200: { media: "application/json", description: "The months that have a key still", schema: retentionSchema } },
      refusals: ["audit_unavailable", "keys_unavailable"],
      handle: async ({ params, caller }) => {
        const read = await readRetention(desk, caller, params.contract as ContractId);
        return read.ok ? ok(json(JSON.stringify(read.value))) : read;
      },
    },
  ];
}
