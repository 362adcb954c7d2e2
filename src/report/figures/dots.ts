/**
 * Rows of dots: one row an arm, one dot a seed, the mean with its interval, and what was published as an open mark.
 * May not know: arms, studies.
 */
import { element, escapeXml, figure, label, line, marker, scale } from "../svg.js";

export interface DotRow {
  readonly name: string;
  readonly dots: readonly number[];
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly published: readonly { readonly name: string; readonly value: number }[];
}

const [WIDTH, ROW, RIGHT, TOP, BOTTOM] = [720, 34, 24, 14, 44];
/** Of names beside the axis: pixels a character, about. */
const CHARACTER = 7.5;

export function dotFigure(
  rows: readonly DotRow[],
  {
    axis,
    alt,
    domain,
    reference,
  }: {
    readonly axis: string;
    readonly alt: string;
    readonly domain: readonly [number, number];
    readonly reference?: number;
  },
): string {
  const height = TOP + rows.length * ROW + BOTTOM;
  const bottom = TOP + rows.length * ROW;
  const left = 20 + CHARACTER * Math.max(8, ...rows.map(({ name }) => cut(name).length));
  const x = scale(domain, [left, WIDTH - RIGHT]);
  const frame = [
    ...x.ticks.map(
      (tick) =>
        line(x(tick), TOP, x(tick), bottom, "grid") +
        label(x(tick), bottom + 17, tick.toFixed(x.digits), { "text-anchor": "middle", class: "quiet" }),
    ),
    line(left, bottom, WIDTH - RIGHT, bottom, "axis"),
    label((left + WIDTH - RIGHT) / 2, bottom + 36, axis, { "text-anchor": "middle" }),
    ...(reference === undefined ? [] : [line(x(reference), TOP, x(reference), bottom, "half")]),
  ];
  /** Few observations give intervals beyond what is possible: the figure ends where the axis does, the table has the numbers. */
  const within = (value: number): number => Math.min(domain[1], Math.max(domain[0], value));
  const drawn = rows.flatMap((row, i) => {
    const y = TOP + (i + 0.5) * ROW;
    return [
      label(left - 14, y + 4, cut(row.name), { "text-anchor": "end" }),
      ...(row.low === null || row.high === null ? [] : [line(x(within(row.low)), y, x(within(row.high)), y, "range")]),
      ...row.dots.map((value) => element("g", { class: "faint" }, marker(0, x(value), y, 3.5))),
      ...(row.mean === null
        ? []
        : [element("rect", { x: x(row.mean) - 1.5, y: y - 8, width: 3, height: 16, class: "mean" })]),
      ...row.published.map(({ name, value }) =>
        element("path", { d: diamond(x(value), y), class: "open" }, element("title", {}, escapeXml(name))),
      ),
    ];
  });
  return figure(WIDTH, height, alt, [...frame, ...drawn]);
}

const LONGEST = 30;
const cut = (name: string): string => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);

const diamond = (x: number, y: number): string => {
  const at = (value: number): number => Number(value.toFixed(1));
  return `M${at(x)} ${at(y - 6)}L${at(x + 6)} ${at(y)}L${at(x)} ${at(y + 6)}L${at(x - 6)} ${at(y)}Z`;
};
