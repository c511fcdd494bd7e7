/** How conditions come out for records of which nothing but an entry is left. */
import type { Treatment } from "../masking/index.ts";
import type { Bundle } from "./bundle.ts";
import type { Condition, Facts } from "./condition.ts";
import type { Decision } from "./decide.ts";
import { civilMoment } from "./term.ts";

/** What an entry says of a record, or of several, that left. */
export interface Recorded {
  readonly role: string;
  readonly type: string;
  readonly purpose: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Path → treatment at which it left: of several records the most. */
  readonly fields: Readonly<Record<string, Treatment>>;
  /** Of each record how its conditions came out; none where there were none. */
  readonly outcomes: readonly string[];
  /** `null` = a read. */
  readonly searchedBy: string | null;
  /** It was one of the contract's last days. Absent: it was not. */
  readonly lastDays?: boolean;
}

/** `null` = the log does not say. */
export type Answers = (condition: Condition) => boolean | null;

interface Asked {
  /** The decision that was taken then; `null` = not at hand. */
  readonly standing: Decision | null;
  readonly decision: Decision;
  readonly after: Bundle;
  /** Does a condition of `decision` mean what it meant then? */
  readonly isShared: (text: string) => boolean;
}

/** For each record of the entry. What was recorded counts; what follows from the entry's time, role and purpose is asked again. */
export function answersOf(recorded: Recorded, { standing, decision, after, isShared }: Asked): Answers[] {
  const texts = standing?.open.conditions.map(({ text }) => text) ?? [];
  const variables = decision.open.variables(factsOf(recorded, after));
  const outcomes = recorded.outcomes.length > 0 ? recorded.outcomes : [""];
  return outcomes.map((outcome) => (condition) => {
    const recordedAt = texts.length === outcome.length && isShared(condition.text) ? texts.indexOf(condition.text) : -1;
    if (recordedAt >= 0) return outcome[recordedAt] === "1";
    return isAnswerable(condition) ? condition.verdict(variables) === "holds" : null;
  });
}

const known = ["agent.role", "request.hour", "request.minute", "request.weekday", "request.date", "request.purpose"];

/** An entry names neither record nor network, and people and tickets by keyed hashes alone. */
function isAnswerable({ text, needsRecord }: Condition): boolean {
  const read = [...text.matchAll(/\b(agent|request|record)\b(?:\s*\.\s*(\w+))?/g)];
  return !needsRecord && read.every(([, variable, member]) => known.includes(`${variable}.${member}`));
}

function factsOf({ role, purpose, time }: Recorded, { contract }: Bundle): Facts {
  const { id, merchant, vendor, term } = contract;
  return {
    agent: { role, issuer: "", subject: "" },
    contract: { id, merchant, vendor },
    request: { ...civilMoment(time, term.zone), network: "", purpose, ticket: "" },
    record: {},
  };
}
