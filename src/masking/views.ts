/**
 * What several views of one value show together: a list, a detail, an order, for one purpose or another. Each mask is asked about made-up values, and
 * which of their characters come out of it is read from its answer, so that there is no second table of masks to keep true.
 */
import { generalizeValue, maskValue } from "./class-masks.ts";
import type { DataClass } from "./class-names.ts";
import { graphemes } from "./text.ts";
import type { Generalization, MaskProfile, Treatment } from "./treatment.ts";

/** A way to show a value. */
export interface Way {
  readonly treatment: Treatment;
  readonly profile?: MaskProfile;
  readonly to?: Generalization;
}

/** Made up, one for each reading that a class's masks know. A class that is not here is shown whole or not at all. */
const probes: Readonly<Partial<Record<DataClass, readonly string[]>>> = {
  person_name: ["林黛玉", "欧阳娜娜", "Daniel Webster"],
  nickname: ["摩天大轮", "noah_brown_6181"],
  birth_date: ["1990-05-06"],
  address: ["北京市海淀区马连洼街道289号", "986 Sunset Drive, Denver, CO 80279"],
  phone: ["13827465190", "13212345774-1806", "0915-6234579", "+442079461258"],
  email: ["daniel@126.com", "john@johnsmith.com"],
  plate: ["浙A12B4C", "浙A12B4CD"],
  ip_address: ["192.168.31.17", "2001:db8::7344"],
  messenger_account: ["wxid_k2f9q79", "13827465190", "daniel@126.com"],
  resident_id: ["330106199001011258"],
  passport: ["E12345689"],
  payment_card: ["6222021234562631"],
  iban: ["DE89370400440532013000"],
};

/** Adults are adults on it. */
const today = "2026-01-01";

/** A value as all of `ways` together show it, where none of them alone shows as much; `null` = one of them does, for every kind of value. */
export function piecedTogether(name: DataClass, ways: readonly Way[]): string | null {
  for (const value of probes[name] ?? []) {
    const seen = ways.map((way) => shownPlaces(name, value, way));
    const union = new Set(seen.flatMap((places) => [...places]));
    if (!seen.some((places) => places.size === union.size)) return picture(value, union);
  }
  return null;
}

function picture(value: string, shown: ReadonlySet<number>): string {
  return graphemes(value)
    .map((character, place) => (shown.has(place) ? character : "*"))
    .join("");
}

function shownPlaces(name: DataClass, value: string, { treatment, profile, to }: Way): ReadonlySet<number> {
  if (treatment === "reveal") return new Set(graphemes(value).keys());
  const out =
    treatment === "mask"
      ? maskValue(name, value, profile, today)
      : treatment === "generalize" && to !== undefined
        ? generalizeValue(name, value, to, today)
        : null;
  return typeof out === "string" ? placesOf(out, value) : new Set();
}

/** The characters of `value` that stand between the stars of `out`, from left to right; what ends `out` is sought from the right. */
export function placesOf(out: string, value: string): ReadonlySet<number> {
  const characters = graphemes(value);
  const pieces = out.split(/\*+/).map((piece) => graphemes(piece.trim()));
  const places = new Set<number>();
  let from = 0;
  pieces.forEach((piece, index) => {
    if (piece.length === 0) return;
    const isEnd = index > 0 && index === pieces.length - 1;
    const at = isEnd ? lastPlace(characters, piece, from) : firstPlace(characters, piece, from);
    if (at < 0) return;
    piece.forEach((_, offset) => void places.add(at + offset));
    from = at + piece.length;
  });
  return places;
}

function firstPlace(characters: readonly string[], piece: readonly string[], from: number): number {
  return characters.findIndex((_, at) => at >= from && piece.every((character, offset) => characters[at + offset] === character));
}

function lastPlace(characters: readonly string[], piece: readonly string[], from: number): number {
  return characters.findLastIndex((_, at) => at >= from && piece.every((character, offset) => characters[at + offset] === character));
}
