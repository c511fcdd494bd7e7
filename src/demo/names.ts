/**
 * Names of people who do not exist: common and compound surnames, names with ·, and characters that break careless code.
 */
import type { Dice } from "./random.ts";

const surnames = [
  ..."王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛",
];
const compoundSurnames = ["欧阳", "司马", "上官", "诸葛", "慕容", "令狐", "皇甫", "东方"];
const givenCharacters = [
  ..."伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰春梅建国文晓雨欣怡子涵浩宇梓萱思远佳宁嘉诚若曦一诺沐辰知夏书瑶景行云舒清越怀瑾",
];
/** Outside the Basic Multilingual Plane (𠮷, 𤧛), in its extensions (㛃, 䶮), and rare. */
const rareCharacters = ["𠮷", "㛃", "䶮", "𤧛", "喆", "堃", "昇", "瑢"];
const dottedNames = [
  "阿依古丽·买买提",
  "迪丽娜尔·吐尔逊",
  "艾力·阿不都拉",
  "古丽米热·艾合买提",
  "巴特尔·孟和",
  "扎西·多吉",
  "卓玛·央金",
  "热依汗·玉素甫",
];

export function chineseName(dice: Dice): string {
  const kind = dice.below(40);
  if (kind < 3) return dice.pick(compoundSurnames) + given(dice, 2);
  if (kind < 5) return dice.pick(dottedNames);
  if (kind < 8) return dice.pick(surnames) + dice.pick(rareCharacters) + (dice.oneIn(2) ? given(dice, 1) : "");
  return dice.pick(surnames) + given(dice, dice.oneIn(4) ? 1 : 2);
}

function given(dice: Dice, length: number): string {
  return Array.from({ length }, () => dice.pick(givenCharacters)).join("");
}
