/** A curve as SVG: sizes on a logarithmic axis, values from nought up. The same points make the same bytes. */
import { format } from "./goals.ts";

export interface Curve {
  readonly title: string;
  readonly unit: string;
  /** Ascending sizes, from 1. */
  readonly points: readonly { readonly size: number; readonly value: number }[];
}

const [width, height] = [480, 240];
const frame = { left: 72, right: 24, top: 44, bottom: 36 };
const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export function plot({ title, unit, points }: Curve): string {
  const sizes = points.map(({ size }) => Math.log10(size));
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const top = roundUp(Math.max(...points.map(({ value }) => value)));
  const x = (size: number) => place(frame.left, width - frame.right, most === least ? 0.5 : (Math.log10(size) - least) / (most - least));
  const y = (value: number) => place(height - frame.bottom, frame.top, value / top);
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share * top);
    return `<path d="M${frame.left} ${at}H${width - frame.right}" stroke="#ddd"/><text x="${frame.left - 8}" y="${at + 4}" text-anchor="end">${format(share * top)}</text>`;
  });
  const marks = points.map(({ size, value }) => {
    const [across, up] = [x(size), y(value)];
    const label = `<text x="${across}" y="${up - 9}" text-anchor="middle">${format(value)}</text>`;
    return `<circle cx="${across}" cy="${up}" r="4" fill="#1a5fb4"/>${label}<text x="${across}" y="${height - 14}" text-anchor="middle">${sizeText(size)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" role="img">
<title>${title}, ${unit}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="12" y="22" font-size="14" font-weight="bold">${title}, ${unit}</text>
${lines.join("\n")}
<polyline points="${points.map(({ size, value }) => `${x(size)},${y(value)}`).join(" ")}" fill="none" stroke="#1a5fb4" stroke-width="2"/>
${marks.join("\n")}
</svg>
`;
}

function place(from: number, to: number, share: number): number {
  return Math.round(from + (to - from) * share);
}

/** 1, 2 or 5 and noughts, a tenth above the largest at least, so that its number has room. */
function roundUp(value: number): number {
  const wanted = Math.max(value, Number.MIN_VALUE) * 1.1;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 5, 10].find((step) => step * power >= wanted) ?? 10) * power;
}

/** 10⁵ where it is one, else the number. */
function sizeText(size: number): string {
  const power = Math.round(Math.log10(size));
  return 10 ** power === size ? `10${[...String(power)].map((digit) => digits[Number(digit)]).join("")}` : format(size);
}
