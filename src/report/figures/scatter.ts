/**
 * Points in a plane, one mark a point, series by colour and shape.
 * May not know: what is measured.
 */
import { element, escapeXml, figure, label, line, marker, scale } from "../svg.js";

export interface Cloud {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 420, 62, 170, 16, 48];

export function scatterFigure(
  clouds: readonly Cloud[],
  { xAxis, yAxis, alt }: { readonly xAxis: string; readonly yAxis: string; readonly alt: string },
): string {
  const right = WIDTH - RIGHT;
  const all = clouds.flatMap(({ points }) => points);
  const x = scale(extent(all.map(([value]) => value)), [LEFT, right], { nice: true });
  const y = scale(extent([0, ...all.map(([, value]) => value)]), [HEIGHT - BOTTOM, TOP], { nice: true });
  const frame = [
    ...y.ticks.map(
      (tick) =>
        line(LEFT, y(tick), right, y(tick), tick === 0 ? "half" : "grid") +
        label(LEFT - 8, y(tick) + 4, tick.toFixed(y.digits), { "text-anchor": "end", class: "quiet" }),
    ),
    ...x.ticks.map(
      (tick) =>
        line(x(tick), TOP, x(tick), HEIGHT - BOTTOM, "grid") +
        label(x(tick), HEIGHT - BOTTOM + 18, tick.toFixed(x.digits), { "text-anchor": "middle", class: "quiet" }),
    ),
    label((LEFT + right) / 2, HEIGHT - 8, xAxis, { "text-anchor": "middle" }),
    `<text transform="translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(yAxis)}</text>`,
  ];
  const drawn = clouds.map(({ points }, i) =>
    element("g", { class: "faint" }, points.map(([px, py]) => marker(i, x(px), y(py), 2.8)).join("")),
  );
  const legend = clouds.flatMap(({ name }, i) => [
    marker(i, right + 18, TOP + 8 + 19 * i, 4),
    label(right + 29, TOP + 12 + 19 * i, name),
  ]);
  return figure(WIDTH, HEIGHT, alt, [...frame, ...drawn, ...legend]);
}

function extent(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}
