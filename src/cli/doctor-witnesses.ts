/** What the doctor says of witnesses: how far each has come, and how many stand under the newest checkpoint. A gateway asks for no quorum; readers do. */
import type { AskedWitness, WitnessProgress } from "../audit/index.ts";
import type { Database } from "../storage/index.ts";
import { asking, type Outcome } from "./doctor-databases.ts";

/** A witness that was away is asked again within five minutes. */
const behindMsMax = 600_000;
/** The log that every witness watches. */
const watchedByAll = "gateway";

/** Of one, in a list. */
export async function checkWitness(url: string, witnesses: readonly AskedWitness[]): Promise<Outcome> {
  return asking(url, async (database) => {
    const asked = witnesses.flatMap((witness) => witness.logs.map((log) => ({ witness, log })));
    const found = await Promise.all(asked.map(async ({ witness, log }) => ({ log, progress: await progressOf(database, witness, log) })));
    const text = found.map(({ log, progress }) => `${log}: ${describe(progress)}`).join("; ");
    if (found.some(({ progress }) => isForged(progress)))
      return {
        failing: text,
        cure: "somebody changed what is stored; only what the witness signs next counts, and the checkpoint that it kept",
      };
    if (found.every(({ progress }) => progress.behindMs <= behindMsMax)) return { ok: text };
    return { failing: text, cure: `does ${witnesses[0]?.url} answer, and does it know these logs' keys? The keeper says what it answers` };
  });
}

/** Whose quorum is met is for each reader's trust file to say; here is how many there are. */
export async function checkQuorum(url: string, witnesses: readonly AskedWitness[]): Promise<Outcome> {
  return asking(url, async (database) => {
    const found = await Promise.all(witnesses.map((witness) => progressOf(database, witness, watchedByAll)));
    const size = found[0]?.published ?? 0;
    const under = found.filter((progress) => progress.cosigned === size && !isForged(progress)).length;
    const text = `the newest checkpoint of log ${watchedByAll}, of ${size} entries, is cosigned by ${under} of ${witnesses.length}`;
    if (under === witnesses.length) return { ok: `${text}: any quorum of them is met` };
    const unmet = `${text}: a trust file's quorum of more than ${under} of them is not met`;
    if (found.every(({ behindMs }) => behindMs <= behindMsMax)) return { ok: `${unmet} yet` };
    return {
      failing: unmet,
      cure: "mend the witnesses that are behind; until then whoever asks for more than these trusts no newer export",
    };
  });
}

async function progressOf(database: Database, { key }: AskedWitness, log: string): Promise<WitnessProgress> {
  const [{ selectWitnessProgress }, { verifySignature }] = await Promise.all([import("../audit/index.ts"), import("../crypto/index.ts")]);
  return selectWitnessProgress(database, { log, key }, verifySignature);
}

function isForged({ cosigned, cosignedAt }: WitnessProgress): boolean {
  return cosigned > 0 && cosignedAt === null;
}

function describe(progress: WitnessProgress): string {
  const { published, cosigned, cosignedAt, behindMs } = progress;
  if (isForged(progress)) return `what is stored as its cosignature of ${cosigned} entries is none of its key`;
  const last = cosignedAt === null ? "nothing cosigned yet" : `${cosigned} entries cosigned at ${new Date(cosignedAt).toISOString()}`;
  return published > cosigned ? `${last}, ${published - cosigned} behind for ${Math.ceil(behindMs / 1_000)} s` : last;
}
