/**
 * C2SP tlog-policy (https://c2sp.org/tlog-policy): which logs' checkpoints count, and which witnesses must have cosigned them.
 * Lines `log`, `witness`, `group`, `quorum`; a name is defined before it is used, and is a member of one group at most.
 */
import { equalBytes } from "../crypto/index.ts";
import { ok, type Result, refuse } from "../kernel/index.ts";
import { formatWitnessVkey, parseWitnessVkey, type WitnessKey } from "./cosignature.ts";
import { formatVkey, type NoteKey, parseVkey } from "./note.ts";

const linesMax = 1_000;
const nobody = "none";

export interface LogPolicy {
  readonly logs: readonly NoteKey[];
  readonly witnesses: readonly WitnessKey[];
  /** Whom the checkpoint has to be cosigned by. */
  readonly quorum: Rule;
  /** As it was written. */
  readonly text: string;
}

/** So many of these; a key is one that cosigned. `{ least: 0, of: [] }`: nobody. */
export type Rule = WitnessKey | { readonly least: number; readonly of: readonly Rule[] };

/** Of one log, whose witnesses are named and, as long as nobody asks for it, not required. */
export function policyOf(log: NoteKey, witnesses: readonly WitnessKey[] = []): LogPolicy {
  const lines = witnesses.map((key) => `witness ${key.name} ${formatWitnessVkey(key)}\n`);
  const text = `log ${formatVkey(log)}\n${lines.join("")}quorum none\n`;
  return { logs: [log], witnesses, quorum: { least: 0, of: [] }, text };
}

export function isMet(rule: Rule, cosigned: ReadonlySet<WitnessKey>): boolean {
  return "signs" in rule ? cosigned.has(rule) : rule.of.filter((member) => isMet(member, cosigned)).length >= rule.least;
}

/** Refuses with one line that says which line of the policy is wrong. */
export function parsePolicy(text: string): Result<LogPolicy, string> {
  const rows = text.split("\n");
  if (rows.length > linesMax || /[\u0000-\u0008\u000b-\u001f\u007f]/.test(text))
    return refuse("the policy is no text of at most 1,000 lines");
  const draft: Draft = { logs: [], witnesses: [], names: new Map(), members: new Set(), quorum: null };
  for (const [i, row] of rows.entries()) {
    const words = row.split(/[ \t]+/).filter((word) => word !== "");
    const [keyword = "", ...rest] = words;
    if (keyword === "" || keyword.startsWith("#")) continue;
    const wrong = Object.hasOwn(readers, keyword) ? readers[keyword as Keyword](draft, rest) : "begins with no keyword of a policy";
    if (wrong !== null) return refuse(`line ${i + 1} of the policy ${wrong}`);
  }
  const { logs, witnesses, quorum } = draft;
  return quorum === null ? refuse("the policy has no quorum line") : ok({ logs, witnesses, quorum, text });
}

interface Draft {
  readonly logs: NoteKey[];
  readonly witnesses: WitnessKey[];
  /** Witnesses and groups, by name. */
  readonly names: Map<string, Rule>;
  /** Names that are a member of a group already. */
  readonly members: Set<string>;
  quorum: Rule | null;
}

type Keyword = "log" | "witness" | "group" | "quorum";

/** What is wrong with a line, or `null`. */
const readers: Readonly<Record<Keyword, (draft: Draft, words: readonly string[]) => string | null>> = {
  log({ logs }, [vkey, _url, ...rest]) {
    const key = parseVkey(vkey ?? "");
    if (key === null || rest.length > 0) return "names no verifier key of a log";
    if (isAmong(logs, key)) return "names a log's key twice";
    logs.push(key);
    return null;
  },
  witness({ witnesses, names }, [name, vkey, _url, ...rest]) {
    const key = parseWitnessVkey(vkey ?? "");
    if (key === null || rest.length > 0) return "names no verifier key of a witness";
    if (isAmong(witnesses, key)) return "names a witness's key twice";
    if (name === undefined || name === nobody || names.has(name)) return "gives a name that is taken";
    witnesses.push(key);
    names.set(name, key);
    return null;
  },
  group({ names, members }, [name, threshold, ...rest]) {
    if (name === undefined || name === nobody || names.has(name)) return "gives a name that is taken";
    const least =
      threshold === "all" ? rest.length : threshold === "any" ? 1 : /^[1-9][0-9]{0,3}$/.test(threshold ?? "") ? Number(threshold) : 0;
    if (least < 1 || least > rest.length) return "asks for a number of members that it has not";
    const of: Rule[] = [];
    for (const member of rest) {
      const rule = names.get(member);
      if (rule === undefined) return "names a member that is not defined before";
      if (members.has(member)) return "names a member that stands in a group already";
      members.add(member);
      of.push(rule);
    }
    names.set(name, { least, of });
    return null;
  },
  quorum(draft, [name, ...rest]) {
    const rule = name === nobody ? { least: 0, of: [] } : draft.names.get(name ?? "");
    if (draft.quorum !== null) return "is a second quorum";
    if (rule === undefined || rest.length > 0) return "names a quorum that is not defined before";
    draft.quorum = rule;
    return null;
  },
};

/** The same key under another name is the same. */
function isAmong(keys: readonly NoteKey[], { publicKey }: NoteKey): boolean {
  return keys.some((key) => equalBytes(key.publicKey, publicKey));
}
