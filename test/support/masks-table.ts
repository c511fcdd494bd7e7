/** docs/MASKS.md's tables, written from the code: whoever changes a class sees here what the document has to say. */
import type { Json } from "../../src/kernel/index.ts";
import {
  classNames,
  type DataClass,
  dataClasses,
  generalizationsOf,
  generalizeValue,
  joins,
  maskProfiles,
  maskValue,
} from "../../src/masking/index.ts";

const today = "2026-11-22";

/** Made up. */
const examples: Readonly<Record<DataClass, readonly Json[]>> = {
  plain: ["paid"],
  amount: ["1234.50"],
  person_name: ["林黛玉", "欧阳娜娜", "Daniel Webster"],
  nickname: ["摩天轮", "noah_brown_6181"],
  birth_date: ["1990-05-06", "2020-01-01"],
  address: ["北京市海淀区马连洼街道289号", "986 Sunset Drive, Denver, CO 80279"],
  phone: ["13812345678", "13212345774-1234", "0915-6234579", "+44 20 7946 1234"],
  email: ["daniel@126.com", "john@johnsmith.com"],
  plate: ["浙A1255TT"],
  ip_address: ["192.168.1.1", "2001:db8::7344"],
  business_id: ["W2611340"],
  free_text: ["打 13812345678"],
  messenger_account: ["wxid_k2f9q79", "13812345678"],
  resident_id: ["330106199001011233"],
  passport: ["E12345689"],
  payment_card: ["6222 0212 3456 2631"],
  iban: ["DE89 3704 0044 0532 0130 00"],
  sensitive: ["…"],
  health: ["糖尿病"],
  religion: ["…"],
  biometrics: ["…"],
  id_photo: ["…"],
  precise_location: ["30.27,120.15"],
  minor: ["…"],
  secret: ["123"],
  derived: ["张女士"],
};

export function classTable(): string {
  const header = ["class", "level", "first line", "of", ...maskProfiles, "generalize"];
  const rows = classNames.map((name) => {
    const { level, default: treatment } = dataClasses[name];
    const shown = maskProfiles.map((profile) => list(examples[name].map((value) => cell(maskValue(name, value, profile, today)))));
    const coarse = generalizationsOf(name).map(
      (to) => `${to} ${list(examples[name].map((value) => cell(generalizeValue(name, value, to, today))))}`,
    );
    return [name, `${level}`, treatment, list(examples[name].map(cell)), ...shown, coarse.join("; ") || "–"];
  });
  return table(header, rows);
}

export function joinTable(): string {
  const rows = joins.map(({ lowers, to, beside, why }) => [leaving(lowers), leaving(beside), to, why]);
  return table(["of these", "beside", "the first becomes", "because together they say"], rows);
}

type Leaving = (typeof joins)[number]["lowers" | "beside"];

function leaving(field: Leaving): string {
  const { class: name, treatment } = field;
  const [profiles, to] = ["profiles" in field ? ` (${field.profiles.join(", ")})` : "", "to" in field ? ` to ${field.to}` : ""];
  return "answer" in field ? `${name}: ${field.answer}` : `${name}: ${treatment}${profiles}${to}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function cell(value: Json): string {
  return value === null ? "–" : `\`${String(value)}\``;
}

function list(cells: readonly string[]): string {
  return [...new Set(cells)].join(" · ");
}
