/**
 * How far a Chinese address may be shown: province, prefecture, county, as they stand at its start.
 * A name counts with its own suffix or with another of its kind (奉化市 is 奉化区 today, people write both); without one (浙江, 柯桥) where no road,
 * village or estate is called so: 南京东路 and 北京路 are streets. No pattern guesses what a district is: 幸福小区 ends like one.
 */
import { chineseDivisions } from "./chinese-divisions.ts";

/** Names and stems by their first two characters, the longest first. */
type Names<Value> = Map<string, Name<Value>[]>;

interface Name<Value> {
  readonly text: string;
  /** Without its suffix. */
  readonly stem: boolean;
  readonly value: Value;
  /** A county's or its city's, and no other's; districts are called like roads, estates and companies. */
  unmistakable: boolean;
}

interface Division {
  readonly cities: Names<Division>;
  /** Of a province: all of its counties, because addresses leave the prefecture out. */
  readonly counties: Names<null>;
}

interface Country extends Division {
  readonly provinces: Names<Division>;
}

/** What may be shown, without separators; both empty where nothing is certain. */
export interface ChinesePlace {
  readonly district: string;
  /** Its beginning down to the prefecture. */
  readonly city: string;
}

interface Chain extends ChinesePlace {
  readonly links: number;
}

const nowhere: Chain = { district: "", city: "", links: 0 };
const separator = /[\s,，、/_-]/;
const separators = /[\s,，、/_-]/g;

let country: Country | undefined;

export function chinesePlace(text: string): ChinesePlace {
  country ??= readDivisions();
  let rest = separator.test(text) ? text.replace(separators, "") : text;
  const state = rest.startsWith("中") ? (/^(?:中国|中华人民共和国)/.exec(rest)?.[0] ?? "") : "";
  rest = rest.slice(state.length);
  let shown = readChain(country, rest);
  for (let chain = shown; chain.links > 0; ) {
    rest = rest.slice(chain.district.length);
    // Forms repeat what the region picker already wrote: 浙江省杭州市浙江省杭州市西湖区…
    if (!rest.startsWith(shown.district.slice(0, 2))) break;
    chain = readChain(country, rest);
    if (chain.links > shown.links) shown = chain;
  }
  return state === "" || shown.links === 0 ? shown : { district: state + shown.district, city: state + shown.city };
}

/** The longest certain chain of divisions at the start of `text`. */
function readChain(known: Country, text: string): Chain {
  const province = findName(known.provinces, "province", text, 0);
  const city = findName((province?.value ?? known).cities, "city", text, province?.end ?? 0);
  const above = city ?? province;
  const county = findName((city?.value ?? province?.value ?? known).counties, "county", text, above?.end ?? 0);
  for (const [last, before] of [
    [county, above],
    [city, province],
    [province, undefined],
  ] as const) {
    if (last === undefined || !isCertain(last, before === undefined, last === county, text)) continue;
    const links = (province === undefined ? 0 : 1) + (last !== province && city !== undefined ? 1 : 0) + (last === county ? 1 : 0);
    const cityEnd = last === county ? (above?.end ?? 0) : last.end;
    return { district: text.slice(0, last.end), city: text.slice(0, cityEnd), links };
  }
  return nowhere;
}

interface Found<Value> {
  readonly value: Value;
  readonly end: number;
  readonly bare: boolean;
  readonly unmistakable: boolean;
}

/** Whether the chain may end here. `alone`: nothing stands above it. */
function isCertain(last: Found<Division | null>, alone: boolean, isCounty: boolean, text: string): boolean {
  // 东区 and 西区 are districts somewhere, and parts of a housing estate everywhere else.
  if (!last.bare) return !(alone && isCounty && last.end < 3);
  if (alone && isCounty && !last.unmistakable) return false;
  return !belongsToOther.test(text.slice(last.end, last.end + otherCharactersMax));
}

/** What follows a bare name where the name is not the place's but a road's, a village's, an estate's. */
const belongsToOther =
  /^[东西南北中上下前后新老大小]{0,2}[一二三四五六七八九十0-9]{0,2}(?:大?[路街道]|巷|弄|里|胡同|村|镇|乡|屯|庄|庙|湾|桥|港|站|城|苑|园|坊|庭|寓|小?区|广场|大厦|大楼|大桥|花园|公园|公寓|家园|小学|中学|大学|医院|饭店|酒店|宾馆|社区)/;
const otherCharactersMax = 6;

/** What may stand behind a stem, by the kind of division. */
const suffixes = {
  province: /^(?:自治区|省|市(?!场|[区政民]))/,
  city: /^(?:自治州|地区|州|盟|市(?!场|[区政民]))/,
  county: /^(?:自治[县旗]|新区|[区县旗]|市(?!场|[区政民]))/,
} as const;
const suffixCharactersMax = 3;

function findName<Value>(names: Names<Value>, kind: keyof typeof suffixes, text: string, at: number): Found<Value> | undefined {
  const alike = names.get(text.slice(at, at + 2));
  if (alike === undefined) return undefined;
  for (const name of alike) {
    if (!text.startsWith(name.text, at)) continue;
    const end = at + name.text.length;
    const { value, unmistakable } = name;
    if (!name.stem) return { value, end, bare: false, unmistakable };
    const suffix = suffixes[kind].exec(text.slice(end, end + suffixCharactersMax))?.[0].length ?? 0;
    return { value, end: end + suffix, bare: suffix === 0, unmistakable };
  }
  return undefined;
}

function readDivisions(): Country {
  const all: Country = { provinces: new Map(), cities: new Map(), counties: new Map() };
  for (const line of chineseDivisions.trim().split("\n")) {
    const [head = "", ...groups] = line.split("|");
    const [name = "", ...direct] = head.split(" ");
    const province: Division = { cities: new Map(), counties: new Map() };
    addName(all.provinces, name, province);
    for (const group of groups) {
      const [cityName = "", ...under] = group.split(" ");
      const city: Division = { cities: new Map(), counties: new Map() };
      for (const parent of [all, province]) addName(parent.cities, cityName, city);
      for (const county of under) for (const parent of [all, province, city]) addName(parent.counties, county, null);
    }
    for (const county of direct) for (const parent of [all, province]) addName(parent.counties, county, null);
  }
  return all;
}

function addName<Value>(names: Names<Value>, name: string, value: Value): void {
  addText(names, { text: name, stem: false, value, unmistakable: true });
  const stem = stemOf(name);
  if (stem !== null) addText(names, { text: stem, stem: true, value, unmistakable: !name.endsWith("区") });
}

function addText<Value>(names: Names<Value>, name: Name<Value>): void {
  const start = name.text.slice(0, 2);
  const alike = names.get(start) ?? [];
  const twin = alike.find(({ text }) => text === name.text);
  if (twin !== undefined) {
    twin.unmistakable = false;
    return;
  }
  alike.push(name);
  names.set(
    start,
    alike.sort((a, b) => b.text.length - a.text.length),
  );
}

const zone = /(?:开发|园|管理|示范|产业|化工|工业|名胜|食品|矿)区$/;
const suffix = /(?:特别行政区|自治[区州县旗]|地区|新区|林区|[省市盟区县旗])$/;
const peoples =
  /(?:(?:满|蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇|柯尔克孜|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|塔吉克|怒|鄂温克|裕固|保安|独龙|鄂伦春|各)族|(?<!内)蒙古)+$/;
const regions = /维吾尔$/;

/** The name without its suffix, where at least two characters are left; `null` = it has no such name. */
function stemOf(name: string): string | null {
  if (zone.test(name)) return null;
  const short = name.replace(suffix, "");
  const stem = name.includes("自治") ? short.replace(peoples, "").replace(regions, "") : short;
  return stem.length > 1 && stem !== name ? stem : null;
}
