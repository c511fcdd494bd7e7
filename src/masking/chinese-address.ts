/**
 * How far a Chinese address may be shown: province, prefecture, county, as they stand at its start, by the official names.
 * A name without its suffix (浙江, 杭州) counts only where the next division confirms it: 南京东路 and 北京路 are streets.
 * No pattern guesses what a district is: 幸福小区 ends like one.
 */
import { chineseDivisions } from "./chinese-divisions.ts";

/** Names by their first two characters, the longest first. */
type Names<Value> = Map<string, (readonly [name: string, value: Value])[]>;

interface Division {
  /** By full and by short name; empty below a prefecture. */
  readonly cities: Names<Division>;
  /** Of a province: all of its counties, because addresses leave the prefecture out. */
  readonly counties: Names<null>;
}

interface Country extends Division {
  readonly provinces: Names<Division>;
}

const suffix = /(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|自治州|地区|省|市|盟)$/;

let country: Country | undefined;

/** The part of `text` that may be shown, without separators; empty where nothing is certain. */
export function chinesePrefix(text: string): string {
  country ??= readDivisions();
  let rest = text.replace(/[\s,，、/_-]/g, "").replace(/^(?:中国|中华人民共和国)/, "");
  let shown = "";
  for (;;) {
    const chain = rest.slice(0, divisionsLength(country, rest));
    // Forms repeat what the region picker already wrote: 浙江省杭州市浙江省杭州市西湖区…
    if (chain === "" || (shown !== "" && chain.slice(0, 2) !== shown.slice(0, 2))) return shown;
    if (chain.length > shown.length) shown = chain;
    rest = rest.slice(chain.length);
  }
}

/** Characters of the longest certain chain of divisions at the start of `text`. */
function divisionsLength(known: Country, text: string): number {
  const [province, inProvince] = longest(known.provinces, text);
  const [city, inCity] = longest((inProvince ?? known).cities, text.slice(province.length));
  const before = province.length + city.length;
  const [found] = longest((inCity ?? inProvince ?? known).counties, text.slice(before));
  // 东区 and 西区 are districts somewhere, and parts of a housing estate everywhere else.
  const county = before > 0 || found.length > 2 ? found : "";
  const links = [province, city, county].filter((name) => name !== "");
  const certain = links.length > 1 || links.some((name) => suffix.test(name) || name === county);
  return certain ? before + county.length : 0;
}

function longest<Value>(names: Names<Value>, text: string): readonly [name: string, value?: Value] {
  return names.get(text.slice(0, 2))?.find(([name]) => text.startsWith(name)) ?? [""];
}

function addName<Value>(names: Names<Value>, name: string, value: Value): void {
  const start = name.slice(0, 2);
  const alike = [...(names.get(start) ?? []), [name, value] as const];
  names.set(
    start,
    alike.sort(([a], [b]) => b.length - a.length),
  );
}

function emptyDivision(): Division {
  return { cities: new Map(), counties: new Map() };
}

function readDivisions(): Country {
  const all: Country = { provinces: new Map(), ...emptyDivision() };
  for (const line of chineseDivisions.trim().split("\n")) {
    const [head = "", ...groups] = line.split("|");
    const [name = "", ...direct] = head.split(" ");
    const province = emptyDivision();
    for (const spelling of spellings(name)) addName(all.provinces, spelling, province);
    for (const group of groups) {
      const [cityName = "", ...under] = group.split(" ");
      const city = emptyDivision();
      for (const spelling of spellings(cityName)) for (const parent of [all, province]) addName(parent.cities, spelling, city);
      for (const county of under) for (const parent of [all, province, city]) addName(parent.counties, county, null);
    }
    for (const county of direct) for (const parent of [all, province]) addName(parent.counties, county, null);
  }
  return all;
}

/** The full name, and the name without its suffix where at least two characters are left. */
function spellings(name: string): string[] {
  const short = name.replace(suffix, "");
  return short.length > 1 && short !== name ? [name, short] : [name];
}
