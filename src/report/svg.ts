/**
 * SVG as text: elements, scales, axes. Colours are classes, so that one figure serves light, dark and print; numbers are rounded, so
 * that equal data give equal bytes.
 * May not know: what is drawn.
 */

/** Halves of surrogate pairs cannot be encoded; control characters have no place in XML, not even escaped. */
const UNWRITABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]|[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uFFFE\uFFFF]/g;

/** Text as the content of an element or of a quoted attribute, of XML and of HTML. */
export const escapeXml = (text: string): string =>
  text
    .replace(UNWRITABLE, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

type Attributes = Readonly<Record<string, string | number>>;

/** A tenth of a pixel is enough. */
const show = (value: string | number): string =>
  typeof value === "number" ? String(Number(value.toFixed(1))) : escapeXml(value);

export const element = (name: string, attributes: Attributes, content = ""): string => {
  const list = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${show(value)}"`)
    .join("");
  return content === "" ? `<${name}${list}/>` : `<${name}${list}>${content}</${name}>`;
};

export const label = (x: number, y: number, text: string, attributes: Attributes = {}): string =>
  element("text", { x, y, ...attributes }, escapeXml(text));

export const line = (x1: number, y1: number, x2: number, y2: number, className: string): string =>
  element("line", { x1, y1, x2, y2, class: className });

/** Points joined; `undefined` is a gap. */
export function path(points: readonly (readonly [number, number] | undefined)[], className: string): string {
  let pen = "M";
  const d: string[] = [];
  for (const point of points) {
    if (point === undefined) {
      pen = "M";
      continue;
    }
    d.push(`${pen}${Number(point[0].toFixed(1))} ${Number(point[1].toFixed(1))}`);
    pen = "L";
  }
  return element("path", { d: d.join(""), class: className });
}

/** Ends of an axis: never none, never the same. */
export function extent(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

export interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
  /** Digits after the point that tell the ticks apart. */
  readonly digits: number;
}

/** Linear from `domain` to `range`, with ticks at round numbers; the domain is widened to the outer ticks where `nice`. */
export function scale(
  domain: readonly [number, number],
  range: readonly [number, number],
  { count = 5, nice = false } = {},
): Scale {
  const spread = domain[1] - domain[0] || 1;
  const rough = spread / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((multiple) => multiple * power >= rough * 0.999) ?? 10) * power;
  const [from, to] = nice
    ? [Math.floor(domain[0] / step) * step, Math.ceil(domain[1] / step) * step]
    : [domain[0], domain[0] + spread];
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++)
    ticks.push(Number((i * step).toPrecision(12)));
  const at = (value: number): number => range[0] + ((value - from) / (to - from)) * (range[1] - range[0]);
  return Object.assign(at, {
    ticks,
    digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (step / power === 2.5 ? 1 : 0)),
  });
}

/** Longest name beside a mark or an axis, in characters. */
export const cut = (name: string, longest = 30): string =>
  name.length > longest ? `${name.slice(0, longest - 1)}…` : name;

/**
 * Series are told apart by colour, by the shape of their marks and by the dashes of their lines, for eyes that do not tell colours apart and
 * for print. The cycles have no common divisor: 40 series differ in colour or shape, 20 in shape or dash.
 */
export const SERIES = 8;
const SHAPES = 5;
const DASHES = ["", "9 4", "2 3", "9 3 2 3"] as const;

/** Of a line. */
export const strokeOf = (series: number): string => `stroke-${series % SERIES} dash-${series % DASHES.length}`;

export const marker = (series: number, x: number, y: number, size = 4): string =>
  shape(series, x, y, { size, className: `series-${series % SERIES} mark` });

/** Circle, square, triangle, diamond, triangle on its head. */
export function shape(
  kind: number,
  x: number,
  y: number,
  { size, className, content = "" }: { readonly size: number; readonly className: string; readonly content?: string },
): string {
  const across = (points: readonly (readonly [number, number])[]): string =>
    element(
      "path",
      { d: polygon(points.map(([dx, dy]) => [x + size * dx, y + size * dy])), class: className },
      content,
    );
  switch (kind % SHAPES) {
    case 0:
      return element("circle", { cx: x, cy: y, r: size, class: className }, content);
    case 1:
      return element(
        "rect",
        { x: x - size, y: y - size, width: 2 * size, height: 2 * size, class: className },
        content,
      );
    case 2:
      return across([
        [0, -1.3],
        [1.2, 1],
        [-1.2, 1],
      ]);
    case 3:
      return across([
        [0, -1.3],
        [1.3, 0],
        [0, 1.3],
        [-1.3, 0],
      ]);
    default:
      return across([
        [0, 1.3],
        [1.2, -1],
        [-1.2, -1],
      ]);
  }
}

const polygon = (points: readonly (readonly [number, number])[]): string =>
  `M${points.map(([x, y]) => `${Number(x.toFixed(1))} ${Number(y.toFixed(1))}`).join("L")}Z`;

/**
 * Found by search: contrast to the paper of 3 or more, and any two at least 17 (light) or 19 (dark) apart by CIEDE2000 for full sight and
 * under severe protanopia and deuteranopia as Machado et al. 2009 simulate them.
 */
const LIGHT = ["#0b5fa5", "#ff5200", "#26a57c", "#8c8fa5", "#0c4300", "#0e95ff", "#4a1a41", "#b61943"];
const DARK = ["#7cb8f0", "#dfb500", "#159491", "#f0ebf4", "#c8fabb", "#495eff", "#aa5e00", "#f1067c"];

const rules = (colours: readonly string[], ink: string, quiet: string, paper: string): string =>
  [
    `.figure{font:13px system-ui,-apple-system,"Segoe UI",sans-serif}`,
    `.figure text{fill:${ink}}.figure .quiet{fill:${quiet}}`,
    `.figure .axis{stroke:${quiet};stroke-width:1}.figure .grid{stroke:${quiet};stroke-opacity:.25;stroke-width:1}`,
    `.figure .half{stroke:${quiet};stroke-width:1;stroke-dasharray:3 3}`,
    `.figure .range{stroke:${ink};stroke-width:1.5}.figure .mean{fill:${ink}}.figure .open{fill:${paper};stroke:${ink};stroke-width:1.5}`,
    `.figure .band{fill:${colours[0]};fill-opacity:.12}`,
    ...colours.map(
      (colour, i) =>
        `.figure .series-${i}{fill:${colour}}.figure .stroke-${i}{stroke:${colour};fill:none;stroke-width:1.8}`,
    ),
    ...DASHES.flatMap((dashes, i) => (dashes === "" ? [] : [`.figure .dash-${i}{stroke-dasharray:${dashes}}`])),
    `.figure .faint{fill-opacity:.55;stroke-opacity:.55}`,
  ].join("");

/** Styles of all figures, light and dark. */
export const figureStyle = `${rules(LIGHT, "#1c1c1a", "#6b6b66", "#fffffc")}@media (prefers-color-scheme:dark){${rules(DARK, "#ececea", "#9d9d98", "#191918")}}@media print{${rules(LIGHT, "#000", "#555", "#fff")}}`;

/** @param alt  what the figure shows, as its title */
export const figure = (width: number, height: number, alt: string, content: readonly string[]): string =>
  element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      class: "figure",
      role: "img",
      "aria-label": alt,
      width,
      height,
    },
    content.join("\n"),
  );

/** A figure as a file of its own, with its styles. */
export const standalone = (svg: string): string => svg.replace(/>/, `><style>${figureStyle}</style>`);
