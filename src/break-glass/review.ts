/** What comes after a glass was broken: an owner ends it before its time, somebody who had no part in it looks at it, and whoever oversees sees all of them. */
import { type Approval, openReasons, refusalOfSilence, selectApprovals } from "../approvals/index.ts";
import { type ContractId, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";
import { type Finding, type Glass, isPartyTo, stageOf } from "./glass.ts";
import { closeGlass, selectGlasses, writeReview } from "./postgres.ts";

export interface FoundGlass {
  readonly glass: Glass;
  readonly approval: Approval;
}

export interface ListedGlass extends FoundGlass {
  /** In the words of who asked; `null` = the key is gone with its month. */
  readonly reason: string | null;
}

export async function listGlasses(desk: OfficeDoor, visit: Visit, id: ContractId): Promise<Result<ListedGlass[], Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  await logAct(desk, visit, entered.value, { event: "break_glass.listed", outcome: { effect: "allow", code: "ok" } });
  const listed: ListedGlass[] = [];
  for (const found of await glassesOf(desk, id)) {
    const { reason } = await openReasons(desk.database, desk, found.approval);
    listed.push({ ...found, reason });
  }
  return ok(listed);
}

/** One owner, at once: what narrows takes no second. */
export async function endGlass(desk: OfficeDoor, visit: Visit, id: ContractId, name: string): Promise<Result<FoundGlass, Refusal>> {
  const event = "break_glass.ended";
  return actOnGlass(desk, visit, { id, name, event, code: "closed", act: (glass) => closeGlass(desk.database, glass) }, ({ glass }) =>
    stageOf(glass) === "open" ? null : { code: "wrong_state" },
  );
}

/** Whether it was right, said by somebody who neither asked for it nor approved it. Their reason stands in the entry. */
export async function reviewGlass(
  desk: OfficeDoor,
  visit: Visit,
  id: ContractId,
  { name, finding }: { readonly name: string; readonly finding: Finding },
): Promise<Result<FoundGlass, Refusal>> {
  const event = "break_glass.reviewed";
  return actOnGlass(
    desk,
    visit,
    { id, name, event, code: finding, act: (glass, by) => writeReview(desk.database, glass, { by, finding }) },
    ({ glass, approval }, by) => {
      if (isPartyTo(approval, by)) return { code: "own_request" };
      const isDue = ["review_due", "review_missing"].includes(stageOf(glass) ?? "");
      return isDue ? refusalOfSilence(visit) : { code: "wrong_state" };
    },
  );
}

interface GlassAct {
  readonly id: ContractId;
  readonly name: string;
  readonly event: "break_glass.ended" | "break_glass.reviewed";
  readonly code: string;
  /** `false`: somebody else was first. */
  act(glass: Glass, by: Glass["seat"]): Promise<boolean>;
}

/** enter → find → may it be done? → log → do it. */
async function actOnGlass(
  desk: OfficeDoor,
  visit: Visit,
  { id, name, event, code, act }: GlassAct,
  refusalOf: (found: FoundGlass, by: Glass["seat"]) => Refusal | null,
): Promise<Result<FoundGlass, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { who } = entered.value;
  const found = (await glassesOf(desk, id)).find(({ glass }) => glass.id === name);
  const refusal = found ? refusalOf(found, who) : ({ code: "not_found" } as const);
  if (refusal || !found) return turnDown(desk, visit, entered.value, { event, refusal: refusal ?? { code: "not_found" } });
  const { purpose } = found.glass;
  const facts = { contract: id, approval: name, purpose };
  await logAct(desk, visit, entered.value, { event, outcome: { effect: "allow", code }, facts });
  if (!(await act(found.glass, who))) return turnDown(desk, visit, entered.value, { event, refusal: { code: "wrong_state" } });
  const done = (await glassesOf(desk, id)).find(({ glass }) => glass.id === name);
  return done ? ok(done) : refuse({ code: "not_found" });
}

async function glassesOf({ database }: OfficeDoor, id: ContractId): Promise<FoundGlass[]> {
  const approvals = new Map((await selectApprovals(database, [id])).map((approval) => [approval.id, approval]));
  return (await selectGlasses(database, id)).flatMap((glass) => {
    const approval = approvals.get(glass.id);
    return approval ? [{ glass, approval }] : [];
  });
}
