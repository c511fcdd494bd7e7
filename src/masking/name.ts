/**
 * Names: `林**`, `欧阳**`, `D*** W***`; anything that is not a name: `*`. The number of stars and words says nothing.
 */
import { graphemes, tidyText } from "./text.ts";

const unreadable = "*";
const hanCharactersMax = 15;
const latinCharactersMax = 100;

const compoundSurnames = new Set(
  (
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 " +
    "鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 " +
    "第五 纳兰 完颜 叶赫 歐陽 司馬 東方 獨孤 南宮 諸葛 尉遲 赫連 鍾離 長孫 宇文 鮮于 東郭 東門 西門 納蘭 完顏"
  ).split(" "),
);

const compoundStarts = new Set(Array.from(compoundSurnames, (surname) => surname.charAt(0)));

/** One Han or Hangul character, perhaps with a variation selector. */
const han = /^[\p{Script=Han}\p{Script=Hangul}][\u{fe00}-\u{fe0f}\u{e0100}-\u{e01ef}]?$/u;
const commonHan = /^[\u4e00-\u9fff]{2,15}$/;
const word =
  /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Thai}\p{Script=Devanagari}\p{M}.'’-]+$/u;

export function maskName(text: string): string {
  if (commonHan.test(text)) return maskHan(text.slice(0, 2), text.charAt(0), text.length);
  const tidy = tidyText(text);
  if (tidy === null) return unreadable;
  return maskHanName(tidy.replace(/[\s·•・]/g, "")) ?? maskWords(tidy) ?? unreadable;
}

/** The surname, or one initial. */
export function maskNameStrictly(text: string): string {
  const masked = maskName(text);
  return masked.includes(" ") ? masked.slice(0, masked.indexOf(" ")) : masked;
}

/** A Chinese name without spaces and dots; `null` = another kind of name, or none. */
export function readHanName(text: string): string | null {
  const name = (tidyText(text) ?? "").replace(/[\s·•・]/g, "");
  return maskHanName(name) === null ? null : name;
}

function maskHanName(text: string): string | null {
  const characters = graphemes(text);
  if (characters.length < 2 || characters.length > hanCharactersMax || !characters.every((character) => han.test(character))) return null;
  return maskHan(characters.slice(0, 2).join(""), characters[0] ?? "", characters.length);
}

function maskHan(firstTwo: string, first: string, length: number): string {
  const compound = length > 2 && compoundStarts.has(first) && compoundSurnames.has(firstTwo);
  return `${compound ? firstTwo : first}**`;
}

/** First and last word only; a word of one letter would be shown whole, so it does not count. */
function maskWords(text: string): string | null {
  const words = text.split(" ");
  if (text.length > latinCharactersMax || !words.every((part) => word.test(part))) return null;
  const initials = words.flatMap((part) => initial(part) ?? []);
  const shown = initials.length > 1 ? [initials[0], initials.at(-1)] : initials;
  return shown.length === 0 ? null : shown.map((letter) => `${letter}***`).join(" ");
}

function initial(part: string): string | undefined {
  const letters = graphemes(part).filter((letter) => /\p{L}/u.test(letter));
  return letters.length > 1 ? letters[0] : undefined;
}
