/** What the contract's retention will delete next, and when:  enter → count → log this reading → answer.  Changes nothing: the keeper deletes by itself. */
import * as z from "zod";
import { selectClock, sparedBy, standingHolds } from "../contracts/index.ts";
import { json, type Route } from "../http/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { enterContract, logAct, type Visit } from "../offices/index.ts";
import { countOlder, countRecords } from "../records/index.ts";
import { ageRulesOf } from "./age.ts";
import type { ErasureDesk } from "./order.ts";

const keptSchema = z.object({
  contract: z.string(),
  /** By a clock that is not believed nothing goes. */
  clock_believed: z.boolean(),
  /** A hold on the whole contract: nothing goes. */
  held: z.boolean(),
  types: z.array(
    z.object({
      type: z.string(),
      records: z.int(),
      /** After its last import; null = until the purge. */
      kept_days: z.int().nullable(),
      /** What was last imported before this instant is too old today. */
      before: z.iso.datetime().nullable(),
      /** How many of them go; those that a hold spares are not among them. */
      due: z.int(),
    }),
  ),
});
type Kept = z.infer<typeof keptSchema>;

async function readKept(desk: ErasureDesk, visit: Visit, id: ContractId): Promise<Result<Kept, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { database, bundles } = desk;
  const { contract } = entered.value;
  const clock = await selectClock(database);
  const terms = (await bundles.bundleOf(database, id, contract.bundleDigest)).contract;
  const rules = ageRulesOf(terms, clock?.beatAt ?? contract.readAt) ?? {};
  const spared = sparedBy(await standingHolds(database, id));
  const due = spared.all ? {} : await countOlder(database, id, rules, spared);
  const types = (await countRecords(database, id)).map(({ type, records }) => ({
    ...{ type, records, due: due[type] ?? 0 },
    kept_days: terms.retentionDays?.[type] ?? null,
    before: rules[type]?.before ?? null,
  }));
  await logAct(desk, visit, entered.value, {
    event: "retention.read",
    outcome: { effect: "allow", code: "ok" },
    facts: { contract: id, of: "records" },
  });
  return ok({ contract: id, clock_believed: clock?.doubt === undefined || clock.doubt === null, held: spared.all, types });
}

export function ageRoutes(desk: ErasureDesk): Route[] {
  return [
    {
      method: "GET",
      path: "/v1/contracts/{contract}/retention",
      summary: "Officers and owners: how long records of each type are kept, and how many the keeper deletes next because they are too old",
      answers: { 200: { media: "application/json", description: "By type", schema: keptSchema } },
      refusals: ["audit_unavailable", "keys_unavailable"],
      handle: async ({ params, caller }) => {
        const read = await readKept(desk, caller, params.contract as ContractId);
        return read.ok ? ok(json(JSON.stringify(read.value))) : read;
      },
    },
  ];
}
