/**
 * An operator opens a new epoch of a log whose database was set back for good:
 * enter → plan → log the order → open → number and publish
 * A dry run stops after the plan, and is logged like the order: in the gateway log, which is where operators act. The epoch's own first entry names the
 * order's. Crash order: an order may stand without its epoch; whoever gives it again finds where the other one stopped.
 */
import {
  type EpochParts,
  type EpochPlan,
  type EpochRefusal,
  gatewayLog,
  LogHalted,
  openEpoch,
  planEpoch,
  type Sequencer,
} from "../audit/index.ts";
import { selectContract } from "../contracts/index.ts";
import { type ContractId, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterOperations, type OfficeDoor, type Operating, type Visit } from "../offices/index.ts";

export interface EpochDesk extends OfficeDoor {
  readonly epochs: EpochParts;
  readonly sequencer: Sequencer;
}

export async function planNewEpoch(desk: EpochDesk, visit: Visit, log: string): Promise<Result<EpochPlan, Refusal>> {
  const entered = await enterOperations(desk, visit);
  if (!entered.ok) return entered;
  const planned = refusalOf(await planEpoch(desk.epochs, log));
  await logAct(desk, visit, entered.value, { event: "log.epoch_planned", log, planned });
  return planned.ok ? planned : refuse(planned.refusal.answer);
}

/** `confirm`: the origin of the new epoch, as the plan names it. */
export async function openNewEpoch(desk: EpochDesk, visit: Visit, log: string, confirm: string): Promise<Result<EpochPlan, Refusal>> {
  const entered = await enterOperations(desk, visit);
  if (!entered.ok) return entered;
  const found = refusalOf(await planEpoch(desk.epochs, log));
  const planned = found.ok && found.value.next !== confirm ? refuse(notConfirmed) : found;
  const order = await logAct(desk, visit, entered.value, { event: "log.epoch_ordered", log, planned });
  if (!planned.ok) return refuse(planned.refusal.answer);
  try {
    await openEpoch(desk.epochs, planned.value, order);
  } catch (error) {
    if (error instanceof LogHalted) return refuse({ code: "busy" });
    throw error;
  }
  await desk.sequencer.run(log);
  return planned;
}

/** `code`: of the entry. */
interface Refused {
  readonly code: EpochRefusal | "not_confirmed";
  readonly answer: Refusal;
}

const notConfirmed: Refused = {
  code: "not_confirmed",
  answer: { code: "unacceptable", errors: [{ pointer: "/confirm", code: "not_the_origin" }] },
};

function refusalOf(planned: Result<EpochPlan, EpochRefusal>): Result<EpochPlan, Refused> {
  if (planned.ok) return planned;
  const code = planned.refusal;
  return refuse({ code, answer: { code: "wrong_state", errors: [{ pointer: "path:log", code }] } });
}

interface Act {
  readonly event: "log.epoch_planned" | "log.epoch_ordered";
  readonly log: string;
  readonly planned: Result<EpochPlan, Refused>;
}

/** Answers the entry's id. A name that no log here has is not repeated. */
async function logAct(desk: EpochDesk, { request }: Visit, { actor, log: own }: Operating, { event, log, planned }: Act): Promise<string> {
  const isContract = log !== gatewayLog && (await selectContract(desk.database, log as ContractId)) !== null;
  const receipt = await desk.audit.append(own, {
    event,
    actor,
    request,
    outcome: planned.ok ? { effect: "allow", code: "ok" } : { effect: "deny", code: planned.refusal.code },
    facts: {
      ...(isContract && { contract: log }),
      ...((isContract || log === gatewayLog || planned.ok) && { log }),
      ...(planned.ok && factsOf(planned.value)),
    },
  });
  return receipt.id;
}

function factsOf({ next, kept, lost, published }: EpochPlan) {
  const { origin, size, root, checkpoint } = published;
  return { opens: next, before: origin, published: size, root, checkpoint, kept, lost_from: lost.from };
}
