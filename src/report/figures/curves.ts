/**
 * Lines over a common axis, each with marks and an optional interval at every point.
 * May not know: what is measured.
 */
import type { Drawing } from "../document.js";
import { element, escapeXml, extent, figure, label, line, marker, path, SERIES, scale, strokeOf } from "../svg.js";
import { legend } from "./legend.js";

export interface Curve {
  readonly name: string;
  readonly points: readonly {
    readonly x: number;
    readonly y: number | null;
    readonly low?: number | null;
    readonly high?: number | null;
  }[];
  /** A mark at every point; long curves have a few. */
  readonly marked: boolean;
}

export interface CurveOptions {
  readonly xAxis: string;
  readonly yAxis: string;
  readonly alt: string;
  /** Values of x that are shaded: a set that is not told apart. */
  readonly band?: readonly number[];
  /** x is a few whole numbers, each with a tick; else ticks are round, and whole because x counts. */
  readonly wholeX?: boolean;
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 320, 62, 16, 16, 48];
/** Marks of a long curve, so that it is known by its shape as well. */
const MARKS = 7;

export function curveFigure(
  curves: readonly Curve[],
  { xAxis, yAxis, alt, band = [], wholeX = false }: CurveOptions,
): Drawing {
  const right = WIDTH - RIGHT;
  const all = curves.flatMap(({ points }) => points);
  const ys = all.flatMap(({ y, low, high }) =>
    [y, low, high].filter((value): value is number => typeof value === "number"),
  );
  const xs = all.map(({ x }) => x);
  const x = scale(extent(xs), [LEFT + 10, right - 10], { count: wholeX ? Math.min(6, new Set(xs).size) : 6 });
  const y = scale(extent(ys), [HEIGHT - BOTTOM, TOP], { nice: true });
  const ticks = wholeX ? [...new Set(xs)].sort((a, b) => a - b).slice(0, 24) : x.ticks.filter(Number.isInteger);
  const frame = [
    ...band.map((value) =>
      element("rect", { x: x(value) - 12, y: TOP, width: 24, height: HEIGHT - BOTTOM - TOP, class: "band" }),
    ),
    ...y.ticks.map(
      (tick) =>
        line(LEFT, y(tick), right, y(tick), "grid") +
        label(LEFT - 8, y(tick) + 4, tick.toFixed(y.digits), { "text-anchor": "end", class: "quiet" }),
    ),
    ...ticks.map((tick) =>
      label(x(tick), HEIGHT - BOTTOM + 18, String(tick), {
        "text-anchor": "middle",
        class: "quiet",
      }),
    ),
    line(LEFT, HEIGHT - BOTTOM, right, HEIGHT - BOTTOM, "axis"),
    label((LEFT + right) / 2, HEIGHT - 8, xAxis, { "text-anchor": "middle" }),
    `<text transform="translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(yAxis)}</text>`,
  ];
  const drawn = curves.flatMap((curve, i) => [
    path(
      curve.points.map((point) => (point.y === null ? undefined : ([x(point.x), y(point.y)] as const))),
      strokeOf(i),
    ),
    ...curve.points.flatMap(({ x: at, low, high }) =>
      typeof low === "number" && typeof high === "number"
        ? [line(x(at), y(low), x(at), y(high), `stroke-${i % SERIES}`)]
        : [],
    ),
    ...markedPoints(curve, i).flatMap((point) =>
      point.y === null ? [] : [marker(i, x(point.x), y(point.y), curve.marked ? 3.5 : 3)],
    ),
  ]);
  const names = legend(curves.map(entry), { left: LEFT, right, top: HEIGHT + 4 });
  const height = HEIGHT + names.height + 12;
  return { alt, svg: figure(WIDTH, height, alt, [...frame, ...drawn, ...names.content]) };
}

/** Of a long curve, points at even distances, those of every series at places of their own. */
function markedPoints({ points, marked }: Curve, series: number): Curve["points"] {
  if (marked || points.length <= MARKS) return points;
  const offset = (0.5 + 0.618 * series) % 1;
  return Array.from({ length: MARKS }, (_, k) => points[Math.floor(((k + offset) / MARKS) * points.length)]).filter(
    (point) => point !== undefined,
  );
}

const entry = ({ name }: Curve, i: number) => ({
  name,
  mark: (x: number, y: number): string => line(x - 11, y, x + 11, y, strokeOf(i)) + marker(i, x, y, 3.5),
});
