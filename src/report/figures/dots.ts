/**
 * Rows of dots: one row an arm, one dot a seed, the mean with its interval, and what was published as an open mark.
 * May not know: arms, studies.
 */
import type { Drawing } from "../document.js";
import { cut, element, escapeXml, figure, label, line, marker, scale, shape } from "../svg.js";
import { legend } from "./legend.js";

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
): Drawing {
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
  const sources = [...new Set(rows.flatMap(({ published }) => published.map(({ name }) => name)))];
  const drawn = rows.flatMap((row, i) => {
    const y = TOP + (i + 0.5) * ROW;
    return [
      label(left - 14, y + 4, cut(row.name), { "text-anchor": "end" }),
      ...(row.low === null || row.high === null ? [] : [line(x(within(row.low)), y, x(within(row.high)), y, "range")]),
      ...row.published.map(({ name, value }) =>
        open(sources.indexOf(name), x(value), y, element("title", {}, escapeXml(`${name}: ${value}`))),
      ),
      ...row.dots.map((value) => element("g", { class: "faint" }, marker(0, x(value), y, 3.5))),
      ...(row.mean === null
        ? []
        : [element("rect", { x: x(row.mean) - 1.5, y: y - 8, width: 3, height: 16, class: "mean" })]),
    ];
  });
  const names = legend(
    sources.map((name, i) => ({ name, mark: (px: number, py: number): string => open(i, px, py) })),
    { left: 20, right: WIDTH - RIGHT, top: bottom + BOTTOM },
  );
  const height = bottom + BOTTOM + (names.height > 0 ? names.height + 8 : 0);
  return { alt, svg: figure(WIDTH, height, alt, [...frame, ...drawn, ...names.content]) };
}

/** A diamond first, another shape for every other source. */
const open = (source: number, x: number, y: number, content = ""): string =>
  shape(3 + source, x, y, { size: 4.6, className: "open", content });
