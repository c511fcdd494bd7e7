/** Whether the export's checkpoint was cosigned by as many witnesses as the reader's policy asks for: against a history shown to this reader alone. */
import type { VerifySignature } from "../crypto/index.ts";
import { peekCheckpoint } from "./checkpoint.ts";
import { openCosignatures } from "./cosignature.ts";
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

export async function checkQuorum({ note, trust, verifySignature, findings }: QuorumCheck): Promise<void> {
  if (trust === null) return;
  const { logs, witnesses, quorum } = trust.policy;
  const origin = peekCheckpoint(note)?.origin;
  if (!logs.some(({ name }) => name === origin)) return;
  const cosigned = await openCosignatures(note, witnesses, verifySignature);
  if (isMet(quorum, new Set(cosigned.map(({ key }) => key)))) return;
  const names = cosigned.map(({ key }) => key.name).join(", ");
  findings.add(
    null,
    "quorum_missing",
    `the checkpoint is cosigned by ${names === "" ? "no witness" : names} of the policy's, which is less than its quorum`,
  );
}
