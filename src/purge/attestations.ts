/**
 * What the vendor says of its own systems at the end (PIPL 21(2): 不得保留): for each that the contract names, a statement, who signed it, and a file or its
 * digest. We can prove none of it: it is recorded as said. A vendor's person has no login of the merchant's, so an owner records what was handed over;
 * where the contract names the vendor's key, its detached JWS over the very words shows that they are the vendor's.
 */
import { uuidv7 } from "uuidv7";
import { selectContract } from "../contracts/index.ts";
import { fromBase64Url, keyId, sha256, toBase64Url, toHex, utf8, verifyJws, verifySignature } from "../crypto/index.ts";
import { canonicalJson, inTurn, ok, type Refusal, type Result, refuse } from "../kernel/index.ts";
import { enterContract, logAct, type Visit } from "../offices/index.ts";
import type { Bundle } from "../policy/index.ts";
import type { Named } from "./fetch-return.ts";
import type { PurgeDesk } from "./order.ts";
import type { PurgeParts } from "./parts.ts";
import { type Attested, type PurgeJob, selectJob } from "./postgres.ts";
import { type Attestation, claimReminders, insertAttestation, selectAttestations, selectEvidence } from "./postgres-attestation.ts";

export const attestationTyp = "postern-attestation";
/** From the order on. */
const remindDays = 90;

export interface Filing {
  readonly system: string;
  readonly statement: string;
  readonly signer: string;
  readonly evidence?: { readonly name: string; readonly digest: string; readonly content: Uint8Array | null } | undefined;
  /** Detached (RFC 7515 appendix F), over `attestedText`. */
  readonly jws?: string | undefined;
}

/** One system that the contract names. */
export interface SystemStanding {
  readonly system: string;
  /** The newest; `null` = not received. */
  readonly attestation: Attestation | null;
}

/** The words that a vendor signs: canonical JSON. */
export function attestedText({ contract, job }: Named, { system, statement, signer, evidence }: Filing): string {
  return canonicalJson({ contract, job, system, statement, signer, evidence: evidence?.digest ?? null });
}

/** Every system of the contract, in its order. */
async function attestationsOf(
  parts: Pick<PurgeParts, "database" | "bundles">,
  job: Pick<PurgeJob, "contract" | "id">,
): Promise<SystemStanding[]> {
  const terms = await termsOf(parts, job.contract);
  if (!terms?.vendorSystems) return [];
  const filed = await selectAttestations(parts.database, job);
  return terms.vendorSystems.map((system) => ({ system, attestation: filed.findLast((one) => one.system === system) ?? null }));
}

/** The same as a certificate has it. `undefined` = the contract names no systems. */
export async function attestedBy(
  parts: Pick<PurgeParts, "database" | "bundles">,
  job: Pick<PurgeJob, "contract" | "id">,
): Promise<readonly Attested[] | undefined> {
  const systems = await attestationsOf(parts, job);
  if (systems.length === 0) return undefined;
  return systems.map(({ system, attestation: filed }) => ({
    system,
    attestation: filed && {
      ...{ digest: filed.digest, signer: filed.signer, signed: filed.jws !== null, evidence: filed.evidenceDigest },
      recorded: new Date(filed.recordedAt).toISOString(),
    },
  }));
}

export async function listAttestations(desk: PurgeDesk, visit: Visit, named: Named): Promise<Result<SystemStanding[], Refusal>> {
  const entered = await enterContract(desk, visit, named.contract);
  if (!entered.ok) return entered;
  const job = await selectJob(desk.database, named.contract);
  const there = job?.id === named.job;
  await logAct(desk, visit, entered.value, {
    event: "purge.read",
    outcome: there ? { effect: "allow", code: "ok" } : { effect: "deny", code: "not_found" },
    facts: { contract: named.contract },
  });
  return there ? ok(await attestationsOf(desk, job)) : refuse({ code: "not_found" });
}

/** Of several about one system the newest counts, and all stay. After the certificate as well: what comes late is in the second one. */
export async function fileAttestation(
  desk: PurgeDesk,
  visit: Visit,
  named: Named,
  filing: Filing,
): Promise<Result<SystemStanding[], Refusal>> {
  const entered = await enterContract(desk, visit, named.contract);
  if (!entered.ok) return entered;
  const job = await selectJob(desk.database, named.contract);
  const refusal = await refusalOf(desk, named, filing, job);
  const digest = `sha256:${toHex(sha256(utf8(attestedText(named, filing))))}`;
  const { system, statement, signer, evidence, jws = null } = filing;
  const said = { job: named.job, system, digest, signed: jws === null ? "no" : "yes", ...(evidence && { evidence: evidence.digest }) };
  await logAct(desk, visit, entered.value, {
    event: "purge.attested",
    outcome: refusal ? { effect: "deny", code: refusal.code } : { effect: "allow", code: "recorded" },
    facts: { contract: named.contract, ...(refusal ? {} : said) },
  });
  if (refusal || !job) return refuse(refusal ?? { code: "not_found" });
  await insertAttestation(desk.database, job, {
    ...{ id: uuidv7(), system, statement, signer, digest, jws },
    ...{ evidenceName: evidence?.name ?? null, evidenceDigest: evidence?.digest ?? null, evidence: evidence?.content ?? null },
    by: entered.value.who,
  });
  return ok(await attestationsOf(desk, job));
}

async function refusalOf(desk: PurgeDesk, named: Named, filing: Filing, job: PurgeJob | null): Promise<Refusal | null> {
  if (job?.id !== named.job) return { code: "not_found" };
  if (job.step === "requested") return { code: "wrong_state" };
  const terms = await termsOf(desk, named.contract);
  const wrong = (pointer: string, code: string): Refusal => ({ code: "unacceptable", errors: [{ pointer, code }] });
  if (!terms?.vendorSystems?.includes(filing.system)) return wrong("/system", "not_of_the_contract");
  if (filing.jws === undefined) return null;
  if (terms.vendorKey === undefined) return wrong("/jws", "no_vendor_key");
  return (await isSigned(filing.jws, terms.vendorKey, attestedText(named, filing))) ? null : wrong("/jws", "not_the_vendors");
}

async function isSigned(jws: string, vendorKey: string, text: string): Promise<boolean> {
  const [head, between, signature, ...more] = jws.trim().split(".");
  if (between !== "" || more.length > 0) return false;
  const key = fromBase64Url(vendorKey);
  const whole = `${head}.${toBase64Url(utf8(text))}.${signature}`;
  return (await verifyJws(whole, attestationTyp, new Map([[keyId(key), key]]), verifySignature)) !== null;
}

/** The file that was handed over with a filing. */
export async function fetchEvidence(desk: PurgeDesk, visit: Visit, named: Named, id: string): Promise<Result<Uint8Array, Refusal>> {
  const entered = await enterContract(desk, visit, named.contract);
  if (!entered.ok) return entered;
  const evidence = await selectEvidence(desk.database, { contract: named.contract, id: named.job }, id);
  const outcome = evidence ? ({ effect: "allow", code: "ok" } as const) : ({ effect: "deny", code: "not_found" } as const);
  await logAct(desk, visit, entered.value, { event: "purge.read", outcome, facts: { contract: named.contract } });
  return evidence ? ok(evidence) : refuse({ code: "not_found" });
}

/** Once a day: an entry in the gateway log that names the systems of which nothing was said. A crash after the claim costs one day's reminder. */
export async function remindOfAttestations(parts: PurgeParts): Promise<void> {
  await inTurn(await claimReminders(parts.database, remindDays), async (job) => {
    const missing = (await attestationsOf(parts, job)).filter(({ attestation }) => attestation === null).map(({ system }) => system);
    if (missing.length === 0) return;
    const outcome = { effect: "allow", code: "reminded" } as const;
    const facts = { contract: job.contract, job: job.id, missing };
    await parts.audit.append(await parts.logs.gateway(parts.database), {
      event: "purge.attestation_missing",
      actor: { role: "system" },
      outcome,
      facts,
    });
  });
}

async function termsOf(
  { database, bundles }: Pick<PurgeParts, "database" | "bundles">,
  id: PurgeJob["contract"],
): Promise<Bundle["contract"] | null> {
  const contract = await selectContract(database, id);
  return contract && (await bundles.bundleOf(database, id, contract.bundleDigest)).contract;
}
