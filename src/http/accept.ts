/** RFC 9110 §12.5.1: which of the forms that are offered a client would rather have. */

interface Range {
  readonly media: string;
  readonly weight: number;
}

/** The first of `offered` where the client does not say, or likes several as much. `null` = it accepts none of them. */
export function preferredOf(accept: string | null, offered: readonly string[]): string | null {
  const ranges = (accept?.trim() || "*/*").split(",").map(rangeOf);
  const weighed = offered.map((media) => ({ media, weight: weightOf(media, ranges) }));
  const best = weighed.reduce<Range>((found, next) => (next.weight > found.weight ? next : found), { media: "", weight: 0 });
  return best.weight > 0 ? best.media : null;
}

function rangeOf(text: string): Range {
  const [media = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  // Malformed is as good as refused: nobody is sent what they may not have wanted.
  return { media, weight: weight === undefined ? 1 : /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0 };
}

/** Of the most specific range that has it; 0 where none does. */
function weightOf(media: string, ranges: readonly Range[]): number {
  const names = [media, `${media.split("/")[0]}/*`, "*/*"];
  const found = names.map((name) => ranges.find((range) => range.media === name)).find((range) => range !== undefined);
  return found?.weight ?? 0;
}
