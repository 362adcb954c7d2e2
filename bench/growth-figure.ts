/** Two rows of panels, time over memory, a column a work; both axes are logarithms, so a straight line of slope 1 is "twice the work, twice the cost". */
import { element, figure, label, line, marker, path } from "../src/report/svg.js";

export interface Panel {
  readonly title: string;
  readonly axis: string;
  readonly series: readonly { readonly name: string; readonly points: readonly Measured[] }[];
}
interface Measured {
  readonly at: number;
  readonly seconds: number;
  readonly gigabytes: number;
}

const [CELL, HEIGHT, LEFT, TOP, GAP, BETWEEN] = [200, 150, 56, 44, 56, 46];
const measures: readonly { readonly name: string; readonly of: (point: Measured) => number }[] = [
  { name: "seconds", of: ({ seconds }) => seconds },
  { name: "GB", of: ({ gigabytes }) => gigabytes },
];
const quiet = { class: "quiet" };
const middle = { "text-anchor": "middle" };

export function panels(all: readonly Panel[]): string {
  const content = all.flatMap((panel, column) => {
    const x0 = LEFT + column * (CELL + BETWEEN);
    return [label(x0, 18, panel.title), ...measures.flatMap((_, row) => drawn(panel, x0, row))];
  });
  const alt = "Time and peak memory as the work grows, on logarithmic axes";
  const [width, bottom] = [LEFT + all.length * (CELL + BETWEEN), TOP + measures.length * (HEIGHT + GAP)];
  return figure(width, bottom, alt, [element("title", {}, alt), ...content]);
}

function drawn({ axis, series }: Panel, x0: number, row: number): string[] {
  const { name, of } = measures[row] ?? { name: "", of: () => Number.NaN };
  const y0 = TOP + row * (HEIGHT + GAP);
  const places = (series[0]?.points ?? []).map(({ at }) => at);
  const values = series.flatMap(({ points }) => points.map(of));
  const [least, most] = [Math.min(...values) / 1.3, Math.max(...values) * 1.3];
  const x = logarithmic([Math.min(...places), Math.max(...places)], [x0 + 10, x0 + CELL - 10]);
  const y = logarithmic([least, most], [y0 + HEIGHT, y0]);
  const ticks = roundNumbers(least, most).flatMap((tick) => [
    line(x0, y(tick), x0 + CELL, y(tick), "grid"),
    label(x0 - 6, y(tick) + 4, `${tick}`, { "text-anchor": "end", ...quiet }),
  ]);
  const below = places.map((at) =>
    label(x(at), y0 + HEIGHT + 17, Math.round(at).toLocaleString("en-US"), { ...middle, ...quiet }),
  );
  const last = row === measures.length - 1;
  const lines = series.flatMap(({ name: own, points }, i) => [
    path(
      points.map((point) => [x(point.at), y(of(point))]),
      `stroke-${i}`,
    ),
    ...points.map((point) => marker(i, x(point.at), y(of(point)), 3.5)),
    ...(own !== "" && last ? [marker(i, x0 + 12, y0 + 8, 3.5), label(x0 + 20, y0 + 12, own, quiet)] : []),
  ]);
  return [
    ...ticks,
    label(x0, y0 - 8, name, quiet),
    line(x0, y0 + HEIGHT, x0 + CELL, y0 + HEIGHT, "axis"),
    ...below,
    ...(last ? [label(x0 + CELL / 2, y0 + HEIGHT + 36, axis, middle)] : []),
    ...lines,
  ];
}

function logarithmic(domain: readonly [number, number], [from, to]: readonly [number, number]) {
  const [low, high] = [Math.log(domain[0]), Math.log(domain[1])];
  return (value: number) => from + (high === low ? 0.5 : (Math.log(value) - low) / (high - low)) * (to - from);
}

/** 1, 2 and 5 times the powers of ten between the two; powers alone where there are many. */
function roundNumbers(low: number, high: number): number[] {
  const powers = Array.from({ length: 13 }, (_, i) => i - 6);
  const of = (steps: readonly number[]) =>
    powers.flatMap((power) => steps.map((n) => Number(`${n}e${power}`))).filter((n) => n >= low && n <= high);
  const all = of([1, 2, 5]);
  return all.length > 6 ? of([1]) : all;
}
