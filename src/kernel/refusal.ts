const noToken = { status: 401, en: "The access token is not valid", "zh-CN": "访问令牌无效" } as const;

/**
 * The vocabulary of refusals: a stable code, the status it is answered with, and its title. Logged precisely, answered coarsely;
 * a refusal without a row here does not compile. Pages under docs/errors/ explain each.
 */
export const refusals = {
  bad_request: { status: 400, en: "The request cannot be parsed", "zh-CN": "无法解析请求" },
  bad_json: { status: 400, en: "The body is not JSON we accept", "zh-CN": "请求体不是可接受的 JSON" },
  bad_id: { status: 400, en: "An id in the path is malformed", "zh-CN": "路径中的标识格式不正确" },
  bad_query: { status: 400, en: "A query parameter is unknown, repeated or malformed", "zh-CN": "查询参数未知、重复或格式不正确" },
  bad_header: { status: 400, en: "A header is repeated or malformed", "zh-CN": "请求头重复或格式不正确" },
  token_missing: { status: 401, en: "An access token is needed", "zh-CN": "需要访问令牌" },
  token_malformed: noToken,
  token_invalid: noToken,
  token_expired: noToken,
  token_revoked: noToken,
  proof_invalid: { status: 401, en: "A proof of possession is needed, or not valid", "zh-CN": "需要持有证明，或持有证明无效" },
  token_unknown_issuer: noToken,
  login_refused: { status: 403, en: "The login did not come back as it went", "zh-CN": "登录未能完成" },
  logout_refused: {
    status: 400,
    en: "This is no logout token of an organisation's provider",
    "zh-CN": "这不是组织身份提供方签发的注销令牌",
  },
  step_up_required: { status: 401, en: "Show that it is you first", "zh-CN": "请先验证您的身份" },
  step_up_refused: { status: 403, en: "What the passkey signed is not what it was asked for", "zh-CN": "通行密钥验证未通过" },
  not_permitted: { status: 403, en: "This is not permitted to you", "zh-CN": "您无权执行此操作" },
  contract_not_active: { status: 403, en: "The contract is not in force", "zh-CN": "合同尚未生效" },
  contract_ended: { status: 403, en: "The contract has ended", "zh-CN": "合同已终止" },
  contract_suspended: { status: 403, en: "The contract is suspended", "zh-CN": "合同已暂停" },
  outside_hours: { status: 403, en: "Outside the contract's hours", "zh-CN": "不在合同约定的工作时间内" },
  outside_network: { status: 403, en: "Outside the contract's networks", "zh-CN": "不在合同约定的网络范围内" },
  break_glass_needed: { status: 403, en: "Two owners have to open this purpose first", "zh-CN": "该处理目的须先由商家两名负责人共同开启" },
  seat_role_not_allowed: { status: 403, en: "The contract does not allow this seat's role", "zh-CN": "合同不允许该席位的角色" },
  seat_role_not_approved: { status: 403, en: "Nobody has approved this seat's role yet", "zh-CN": "该席位的角色尚未获批准" },
  seat_agreement_missing: { status: 403, en: "No confidentiality agreement is on file for this seat", "zh-CN": "该席位未登记保密协议" },
  seat_agreement_expired: { status: 403, en: "The confidentiality agreement of this seat has expired", "zh-CN": "该席位的保密协议已过期" },
  seat_training_missing: { status: 403, en: "No privacy training is on file for this seat", "zh-CN": "该席位未登记隐私培训" },
  seat_training_expired: { status: 403, en: "The privacy training of this seat has expired", "zh-CN": "该席位的隐私培训已过期" },
  off_shift: { status: 403, en: "Outside this seat's shifts", "zh-CN": "不在该席位的班次内" },
  seat_shared: { status: 403, en: "This seat is used from several places at once", "zh-CN": "该席位正从多处同时使用" },
  share_closed: { status: 403, en: "The merchant has closed its share of the key", "zh-CN": "商家已关闭其持有的密钥份额" },
  own_request: { status: 403, en: "Nobody approves their own request", "zh-CN": "不得批准本人提交的申请" },
  approver_same_organisation: { status: 403, en: "The contract has another organisation approve this", "zh-CN": "合同约定须由另一方批准" },
  not_found: { status: 404, en: "Not found", "zh-CN": "未找到" },
  method_not_allowed: { status: 405, en: "The method is not allowed here", "zh-CN": "不允许的请求方法" },
  not_acceptable: { status: 406, en: "There is no form of this that you accept", "zh-CN": "没有您可接受的格式" },
  wrong_state: { status: 409, en: "The contract's state does not allow this", "zh-CN": "合同当前状态不允许此操作" },
  winding_down: { status: 409, en: "The contract is in its last days", "zh-CN": "合同即将到期" },
  held: { status: 409, en: "A legal hold stands: nothing of this may be deleted", "zh-CN": "存在法律保全，不得删除" },
  review_missing: { status: 409, en: "What was opened before has not been reviewed", "zh-CN": "此前的紧急开启尚未复核" },
  approval_closed: { status: 409, en: "The request was decided or has expired", "zh-CN": "该申请已处理或已过期" },
  busy: { status: 409, en: "Another change of the same thing is under way", "zh-CN": "同一对象正在被其他操作修改" },
  contract_purged: { status: 410, en: "The contract's data has been purged", "zh-CN": "合同数据已清除" },
  pruned: { status: 410, en: "This part of the log was deleted at the end of its retention", "zh-CN": "该部分日志已到保存期限并删除" },
  too_large: { status: 413, en: "The body is over its limit", "zh-CN": "请求体超过上限" },
  wrong_media_type: { status: 415, en: "The media type is not accepted here", "zh-CN": "不支持的媒体类型" },
  unacceptable: { status: 422, en: "The content is not acceptable", "zh-CN": "内容不符合要求" },
  reason_required: { status: 422, en: "A reason must be given", "zh-CN": "必须说明理由" },
  purpose_required: { status: 422, en: "A purpose of the contract must be named", "zh-CN": "必须指明合同约定的处理目的" },
  purpose_unknown: { status: 422, en: "The contract does not know this purpose", "zh-CN": "合同未约定该处理目的" },
  idempotency_key_reused: {
    status: 422,
    en: "This Idempotency-Key was sent with another request",
    "zh-CN": "该 Idempotency-Key 已用于另一请求",
  },
  upstream_limited: { status: 429, en: "The merchant's own API takes no more requests for now", "zh-CN": "商家接口请求过于频繁" },
  fault: { status: 500, en: "Something broke on our side", "zh-CN": "系统内部错误" },
  record_damaged: { status: 502, en: "The record failed its integrity check", "zh-CN": "记录未通过完整性校验" },
  upstream_failed: { status: 502, en: "The merchant's own API gave no answer that can be used", "zh-CN": "商家接口未返回可用的响应" },
  upstream_late: { status: 504, en: "The merchant's own API did not answer in time", "zh-CN": "商家接口响应超时" },
  upstream_busy: { status: 503, en: "The merchant's own API is not available", "zh-CN": "商家接口暂不可用" },
  misconfigured: { status: 503, en: "The gateway is not set up", "zh-CN": "网关尚未正确配置" },
  audit_unavailable: { status: 503, en: "The audit log cannot be written, so nothing is released", "zh-CN": "审计日志不可写，已停止披露" },
  database_unavailable: { status: 503, en: "The database is not available", "zh-CN": "数据库不可用" },
  keys_unavailable: { status: 503, en: "The key store is not available", "zh-CN": "密钥存储不可用" },
  issuer_unavailable: { status: 503, en: "The token issuer is not available", "zh-CN": "令牌签发方不可用" },
} as const satisfies Record<string, { status: number; en: string; "zh-CN": string }>;

export type RefusalCode = keyof typeof refusals;

export interface Refusal {
  readonly code: RefusalCode;
  /** Where in the request, and what is wrong there. Never a customer's value; `message` is for files that the caller wrote (contracts, policies). */
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly message?: string }[];
  /** When it may be asked again. */
  readonly retryAfterSeconds?: number;
}
