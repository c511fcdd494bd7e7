/**
 * Answers instead of data: how to address somebody, how old they are about, whose network a number was given by, whether two values are the same.
 * Each says what it says and nothing of the value besides. As a field, an answer is made of others of its record, shown or not.
 */
import type { Json } from "../kernel/index.ts";
import { ageBand } from "./birth-date.ts";
import type { AnswerName, DataClass } from "./class-names.ts";
import { normalize } from "./classes.ts";
import { maskName, readHanName } from "./name.ts";
import { readMobile } from "./phone.ts";

/** Of which classes each is made, in order. `same_as`: two of one class, whose values may be compared. */
export const answerSources = {
  salutation: ["person_name", "plain"],
  age_band: ["birth_date"],
  carrier: ["phone"],
  same_as: null,
} as const satisfies Record<AnswerName, readonly DataClass[] | null>;

/** What a derived field is made of. */
export interface Derivation {
  readonly answer: AnswerName;
  readonly from: readonly { readonly path: string; readonly class: DataClass }[];
}

/** `values`: of the fields in `from`, in their order; `null` = there is no answer. `today`: civil. */
export function answerOf({ answer, from }: Derivation, [first = null, second = null]: readonly Json[], today: string): Json {
  if (answer === "salutation") return salutation(first, second);
  if (answer === "age_band") return ageBandOf(first, today);
  if (answer === "carrier") return carrierOf(first);
  return from[0] === undefined ? null : sameAs(from[0].class, first, second);
}

const neutral = "您好";
const genders = {
  female: ["female", "f", "女", "女性", "女士", "w"],
  male: ["male", "m", "男", "男性", "先生"],
} as const;
const titles = { female: "女士", male: "先生" } as const;

/** `张女士` where a Chinese name and a gender are known; otherwise a greeting that fits everybody. A gender is never guessed from a name. */
export function salutation(name: Json, gender: Json): string {
  const known = typeof gender === "string" ? gender.trim().toLowerCase() : "";
  const title = (["female", "male"] as const).find((sex) => genders[sex].some((word) => word === known));
  const han = typeof name === "string" ? readHanName(name) : null;
  return title === undefined || han === null ? neutral : maskName(han).replaceAll("*", "") + titles[title];
}

/** `30-39`; `[敏感:未成年人]` under fourteen; `null` = no date of birth. `today`: civil. */
export function ageBandOf(birthDate: Json, today: string): string | null {
  return typeof birthDate === "string" ? ageBand(birthDate, today) : null;
}

const carriers = {
  中国移动: "134 135 136 137 138 139 147 148 150 151 152 157 158 159 172 178 182 183 184 187 188 195 197 198",
  中国联通: "130 131 132 145 146 155 156 166 175 176 185 186 196",
  中国电信: "133 149 153 173 174 177 180 181 189 190 191 193 199",
  中国广电: "192",
  虚拟运营商: "162 165 167 170 171",
} as const;

const carrierByPrefix = new Map(
  Object.entries(carriers).flatMap(([carrier, prefixes]) => prefixes.split(" ").map((prefix) => [prefix, carrier])),
);

/** Who was given the number's block; people take numbers along. `null` = no Chinese mobile, or a block that nobody has. */
export function carrierOf(phone: Json): string | null {
  const mobile = typeof phone === "string" ? readMobile(phone) : null;
  return mobile === null ? null : (carrierByPrefix.get(mobile.slice(0, 3)) ?? null);
}

/** Whether two values of a class are one, in whatever spelling; `null` = one of them cannot be read. */
export function sameAs(name: DataClass, a: Json, b: Json): boolean | null {
  const [first, second] = [normalize(name, a), normalize(name, b)];
  return first === null || second === null ? null : first === second;
}
