/** Whether a checkpoint was cosigned by as many witnesses as the reader's policy asks for: against a history shown to this reader alone. */
import type { VerifySignature } from "../crypto/index.ts";
import { peekCheckpoint } from "./checkpoint.ts";
import { openCosignatures } from "./cosignature.ts";
import { isSameLog } from "./epoch.ts";
import { isMet } from "./quorum.ts";
import type { Trust } from "./trust.ts";
import type { Findings } from "./verdict.ts";

export interface QuorumCheck {
  /** The checkpoint with all its signature lines. */
  readonly note: string;
  /** `null` = the reader trusts no witness, because it trusts nobody. */
  readonly trust: Trust | null;
  readonly verifySignature: VerifySignature;
  readonly findings: Findings;
}

/** Of an export's checkpoint. */
export async function checkQuorum({ note, trust, verifySignature, findings }: QuorumCheck): Promise<void> {
  const missing = trust && (await missingQuorum(note, trust, verifySignature));
  if (missing !== null) findings.add(null, "quorum_missing", `the checkpoint ${missing}`);
}

/** What is said of a checkpoint that too few cosigned; `null` = enough did, or the policy is not about its log. */
export async function missingQuorum(note: string, { policy }: Trust, verifySignature: VerifySignature): Promise<string | null> {
  const { logs, witnesses, quorum } = policy;
  const origin = peekCheckpoint(note)?.origin;
  // It is written with the newest epoch in mind, and asked of every one.
  if (!logs.some(({ name }) => isSameLog(name, origin ?? ""))) return null;
  const cosigned = await openCosignatures(note, witnesses, verifySignature);
  if (isMet(quorum, new Set(cosigned.map(({ key }) => key)))) return null;
  const names = cosigned.map(({ key }) => key.name).join(", ");
  return `is cosigned by ${names === "" ? "no witness" : names} of the policy's, which is less than its quorum`;
}
