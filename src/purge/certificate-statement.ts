/**
 * The plain sentences of a certificate, in both languages: what was deleted, what could not be, until when copies may exist. Pure: they follow from
 * the fields, so that a verifier writes them again and sees that they say no more.
 */
import type { Certificate, FinalCertificate, Words } from "./certificate-document.ts";

type Told = Pick<Certificate, "contract" | "scope" | "residuals" | "attestations" | "holds" | "agreement">;

export function statementOf({ contract, scope, residuals, attestations, holds, agreement }: Told): Certificate["statement"] {
  const { records, subjects } = scope;
  const days = residuals.map(({ until }) => until).sort();
  const until = dayOf(days.at(-1) ?? "");
  const kept = holds.filter(({ state }) => state === "not released").length;
  return {
    deleted: {
      en: `All ${records} records of ${subjects} data subjects under contract ${contract} were deleted here, and the keys that could open any copy of them were destroyed.`,
      "zh-CN": `合同 ${contract} 项下 ${subjects} 名个人的 ${records} 条记录已在本网关全部删除，能够解开任何副本的密钥已销毁。`,
    },
    remains: {
      en: `What agents saw on their screens cannot be called back. ${vendorWords(attestations).en}${kept > 0 ? ` ${kept} legal holds were never released.` : ""} The audit log stays, without names: it is the proof, and the law asks for it.`,
      "zh-CN": `客服人员曾在屏幕上看到的内容无法收回。${vendorWords(attestations)["zh-CN"]}${kept > 0 ? `有 ${kept} 项法律保全未曾解除。` : ""}审计日志依法保留作为证明，其中不含姓名。`,
    },
    copies: {
      en: `Encrypted copies may lie in backups until ${until} (${agreement.backup_horizon_hours} hours after the keys were destroyed, as agreed). No key opens them any more.`,
      "zh-CN": `备份中的密文副本最迟可能存在至 ${until}（按约定为密钥销毁后 ${agreement.backup_horizon_hours} 小时），已没有任何密钥可以解开。`,
    },
  };
}

export function finalStatementOf({
  contract,
  horizon,
  attestations,
}: Pick<FinalCertificate, "contract" | "horizon" | "attestations">): FinalCertificate["statement"] {
  return {
    horizon: {
      en: `The time for which backups may hold encrypted copies of contract ${contract} passed on ${dayOf(horizon.passed_at)}. Nothing of the contract's data has come back to this gateway, and none of its keys.`,
      "zh-CN": `备份中可能留有合同 ${contract} 密文副本的期限已于 ${dayOf(horizon.passed_at)} 届满。本网关中未再出现该合同的任何数据或密钥。`,
    },
    remains: {
      en: `That the backups themselves are gone, only those who keep them can say. ${vendorWords(attestations).en}`,
      "zh-CN": `备份本身是否已清除，只有其保管者能够说明。${vendorWords(attestations)["zh-CN"]}`,
    },
  };
}

function vendorWords(attestations: Certificate["attestations"]): Words {
  const missing = attestations.filter(({ state }) => state === "not received").length;
  if (missing === 0)
    return { en: "For each of the vendor's own systems the vendor attested deletion.", "zh-CN": "服务商已就其全部自有系统出具删除声明。" };
  if (missing === attestations.length)
    return {
      en: "Of the vendor's own systems no statement of deletion was received.",
      "zh-CN": "关于服务商的自有系统，未收到删除声明。",
    };
  return {
    en: `For ${missing} of ${attestations.length} of the vendor's own systems no statement of deletion was received.`,
    "zh-CN": `服务商的 ${attestations.length} 个自有系统中，有 ${missing} 个未收到删除声明。`,
  };
}

/** UTC, to the minute. */
function dayOf(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}
