/**
 * What every act on data subjects' requests has in common:  enter → keys → act → log.  The merchant's owners alone: the customer is theirs, and so is the answer.
 */
import type { EntryDraft } from "../audit/index.ts";
import type { Aead } from "../crypto/index.ts";
import { type ContractId, ok, type Refusal, type Result } from "../kernel/index.ts";
import { type ContractKeys, newestEpoch, selectSubjectKeys } from "../keys/index.ts";
import { type Entered, enterContract, logAct, type OfficeDoor, turnDown, type Visit } from "../offices/index.ts";

export interface RightsDesk extends OfficeDoor {
  readonly aead: Aead;
}

export interface AtDesk extends Entered {
  readonly keys: ContractKeys;
}

/** A contract without keys, because it has not begun or is being purged, has no requests: that is answered and logged here. */
export async function comeToDesk(
  desk: RightsDesk,
  visit: Visit,
  id: ContractId,
  event: EntryDraft["event"],
): Promise<Result<AtDesk, Refusal>> {
  const entered = await enterContract(desk, visit, id);
  if (!entered.ok) return entered;
  const { contract } = entered.value;
  if (contract.state !== "active" && contract.state !== "ended")
    return turnDown(desk, visit, entered.value, { event, refusal: { code: "wrong_state" } });
  const keys = await desk.keyring.keysOf(desk.database, id, await newestEpoch(desk.database, id));
  return ok({ ...entered.value, keys });
}

/** The act's own entry, in whichever log it comes to lie. */
export function logHere(
  desk: OfficeDoor,
  visit: Visit,
  entered: Entered,
  { facts, ...draft }: Pick<EntryDraft, "event" | "outcome" | "facts" | "resource">,
): Promise<void> {
  return logAct(desk, visit, entered, { ...draft, facts: { contract: entered.contract.id, ...facts } });
}

/** `null` = erased: what was sealed about this person opens no more. */
export async function withSubjectKey<Made>(
  desk: RightsDesk,
  { keys }: AtDesk,
  subject: string,
  use: (key: Uint8Array) => Made,
): Promise<Made | null> {
  const wrapped = (await selectSubjectKeys(desk.database, keys.contract, [subject])).get(subject);
  return keys.withSubjectKey(subject, wrapped ?? null, use);
}
