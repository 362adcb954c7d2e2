/**
 * Points in a plane, one mark a point, series by colour and shape.
 * May not know: what is measured.
 */
import type { Drawing } from "../document.js";
import { element, escapeXml, extent, figure, label, line, marker, scale } from "../svg.js";
import { legend } from "./legend.js";

export interface Cloud {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 420, 62, 24, 16, 48];

export function scatterFigure(
  clouds: readonly Cloud[],
  { xAxis, yAxis, alt }: { readonly xAxis: string; readonly yAxis: string; readonly alt: string },
): Drawing {
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
  const names = legend(
    clouds.map(({ name }, i) => ({ name, mark: (px: number, py: number): string => marker(i, px, py, 4) })),
    { left: LEFT, right, top: HEIGHT + 4 },
  );
  const height = HEIGHT + names.height + 12;
  return { alt, svg: figure(WIDTH, height, alt, [...frame, ...drawn, ...names.content]) };
}
