/**
 * Chinese addresses: real provinces, cities and districts, made-up roads, in the spellings that shops see (with and without the province, with spaces).
 */
import type { Dice } from "./random.ts";

const districts = [
  ["浙江省", "杭州市", "西湖区"],
  ["浙江省", "杭州市", "余杭区"],
  ["浙江省", "宁波市", "鄞州区"],
  ["江苏省", "苏州市", "姑苏区"],
  ["江苏省", "南京市", "江宁区"],
  ["广东省", "深圳市", "南山区"],
  ["广东省", "广州市", "天河区"],
  ["四川省", "成都市", "武侯区"],
  ["陕西省", "西安市", "雁塔区"],
  ["湖北省", "武汉市", "洪山区"],
  ["山东省", "青岛市", "崂山区"],
  ["福建省", "厦门市", "思明区"],
  ["新疆维吾尔自治区", "喀什地区", "疏勒县"],
  ["内蒙古自治区", "呼和浩特市", "赛罕区"],
  ["", "北京市", "海淀区"],
  ["", "上海市", "浦东新区"],
  ["", "重庆市", "渝北区"],
] as const;
const roads = ["望潮路", "青榆街", "云栖大道", "石桥南路", "晚晴巷", "观澜路", "知春里", "归雁街", "松涛路", "采薇路", "半山街", "听雨巷"];
const estates = ["枫林家园", "澄湖花苑", "锦绣天成", "向阳新村", "翠屏公寓", "明珠大厦"];

export function chineseAddress(dice: Dice): string {
  const [province, city, district] = dice.pick(districts);
  const separator = dice.oneIn(8) ? " " : "";
  const area = [dice.oneIn(6) ? "" : province, city, district].filter((part) => part !== "").join(separator);
  return `${area}${separator}${dice.pick(roads)}${dice.between(1, 399)}号${dice.oneIn(2) ? household(dice) : ""}`;
}

function household(dice: Dice): string {
  return `${dice.pick(estates)}${dice.between(1, 28)}幢${dice.between(1, 3)}单元${dice.between(1, 32)}0${dice.between(1, 4)}室`;
}
