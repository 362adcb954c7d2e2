import { expect, it } from "vitest";
import { figureStyle, marker, SERIES, strokeOf } from "../svg.js";
import { curveFigure } from "./curves.js";
import { scatterFigure } from "./scatter.js";

const form = (svg: string): string => `${/^<\w+/.exec(svg)} ${svg.replace(/class="[^"]*"/, "")}`;
const series = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

it("twenty series differ without colour, by their marks and dashes, and forty with it", () => {
  const mark = (i: number): string => form(marker(i, 0, 0));
  expect(new Set(series(20).map((i) => mark(i) + strokeOf(i).replace(/stroke-\d/, ""))).size).toBe(20);
  expect(new Set(series(40).map((i) => `${mark(i)} ${i % SERIES}`)).size).toBe(40);
});

it("gives every series a mark on its line, and a name inside the picture, however many there are", () => {
  const names = series(25).map((i) => `arm ${i} with a name that is long (of some model), seed ${i}`);
  const points = series(60).map((x) => ({ x, y: x * x }));
  const options = { xAxis: "x", yAxis: "y", alt: "numbers" };
  const curves = curveFigure(
    names.map((name) => ({ name, marked: false, points })),
    options,
  );
  const clouds = scatterFigure(
    names.map((name) => ({ name, points: [[1, 2]] })),
    options,
  );
  for (const { svg } of [curves, clouds]) {
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number);
    const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)">([^<]+)/g)];
    expect(labels).toHaveLength(25);
    for (const [, x, y, name] of labels) {
      expect(Number(y)).toBeLessThan(height!);
      expect(Number(x) + 7 * name!.length).toBeLessThan(width!);
    }
  }
  // seven on each line, one in the legend
  expect(curves.svg.match(/ mark"/g)).toHaveLength(25 * 8);
});

/** WCAG 2.1: relative luminance of sRGB. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

it("has colours with a contrast of 3 or more to light and to dark paper (WCAG 2.1, 1.4.11)", () => {
  const [light = "", dark = ""] = figureStyle.split("@media");
  for (const [style, paper] of [
    [light, "#fffffc"],
    [dark, "#191918"],
  ] as const) {
    const colours = [...style.matchAll(/\.series-\d\{fill:(#[0-9a-f]{6})/g)].map(([, colour]) => colour!);
    expect(new Set(colours).size).toBe(8);
    for (const colour of colours) {
      const [low = 0, high = 0] = [luminance(colour), luminance(paper)].sort((a, b) => a - b);
      expect((high + 0.05) / (low + 0.05), colour).toBeGreaterThanOrEqual(3);
    }
  }
});
