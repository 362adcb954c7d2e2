/**
 * What a report is made of, before it is HTML, Markdown or CSV: sections of paragraphs, tables, figures and answers. All text is plain text;
 * whoever writes it out escapes it.
 * May not know: studies, files, markup.
 */

export interface Report {
  readonly title: string;
  /** What is compared, in one sentence. */
  readonly lead: string;
  /** What came out, in one sentence; absent where there is nothing yet. */
  readonly result?: string | undefined;
  readonly sections: readonly Section[];
}

export interface Section {
  /** Of the heading, and the name of what is linked to it. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: "text"; readonly text: string }
  /** Something that a reader must not miss: what failed, what is missing. */
  | { readonly kind: "warning"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "table"; readonly table: Table }
  | { readonly kind: "figure"; readonly figure: Figure }
  | { readonly kind: "answers"; readonly answers: Answers };

export const paragraph = (text: string): Block => ({ kind: "text", text });
export const warning = (text: string): Block => ({ kind: "warning", text });
export const table = (table: Table): Block => ({ kind: "table", table });
export const figure = (figure: Figure): Block => ({ kind: "figure", figure });

export interface Table {
  /** The name of its CSV file. */
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface Column {
  /** In the CSV file. */
  readonly key: string;
  readonly label: string;
  readonly numeric?: boolean;
  /** In the CSV file alone: the ends of an interval, which a person reads in the cell of its estimate. */
  readonly csvOnly?: boolean;
}

/** Columns of what `interval` gives behind its first cell; `key` is of that cell's column, where a table has several. */
export const ends = (key?: string): readonly Column[] =>
  ["low", "high"].map((end) => ({ key: key === undefined ? end : `${key}_${end}`, label: "", csvOnly: true }));

/** The columns that a person sees, each with its place in a row. */
export const shownColumns = (columns: readonly Column[]): readonly { readonly column: Column; readonly i: number }[] =>
  columns.map((column, i) => ({ column, i })).filter(({ column }) => column.csvOnly !== true);

export interface Cell {
  /** As a person reads it. */
  readonly text: string;
  /** As a program reads it; null is undefined. */
  readonly value: string | number | null;
}

export interface Figure {
  /** The name of its SVG file. */
  readonly id: string;
  readonly caption: string;
  /** What it shows, for whoever does not see it. */
  readonly alt: string;
  /** A whole SVG element, named by `alt`. */
  readonly svg: string;
}

/** What is drawn and the same in words, with its numbers. */
export type Drawing = Pick<Figure, "alt" | "svg">;

/** Answers of several arms to one instruction. */
export interface Answers {
  readonly instruction: string;
  /** Why this one stands here. */
  readonly why: string;
  readonly answers: readonly { readonly arm: string; readonly text: string; readonly note: string }[];
}

export const text = (value: string): Cell => ({ text: value, value });
/** Text whose line breaks matter, as a template's. */
export const oneLine = (value: string): Cell => ({ text: value.replaceAll("\n", "\\n"), value });

export const UNDEFINED = "–";

/** A number with so many digits after the point. */
export const number = (value: number | null | undefined, digits = 1): Cell =>
  value === null || value === undefined
    ? { text: UNDEFINED, value: null }
    : { text: value.toFixed(digits), value: Number(value.toFixed(6)) };

/** As a sentence has it. */
export const inPercent = (value: number | null | undefined): string =>
  value === null || value === undefined ? "undefined" : `${value.toFixed(1)} percent`;

export const integer = (value: number | null | undefined): Cell =>
  value === null || value === undefined ? number(null) : { text: value.toLocaleString("en-US"), value };

/** Characters of a quoted text that are shown. */
const LONGEST = 2400;

/** A long text, with a word on what is left out. */
export const quote = (value: string): string =>
  value.length <= LONGEST
    ? value
    : `${value.slice(0, LONGEST)}… (${(value.length - LONGEST).toLocaleString("en-US")} characters more)`;

/** "43.3 [41.0, 45.6]" and the two ends for programs. */
export function interval(
  estimate: { readonly estimate: number | null; readonly low: number | null; readonly high: number | null } | null,
  { digits = 1, scale = 1 }: { readonly digits?: number; readonly scale?: number } = {},
): readonly [Cell, Cell, Cell] {
  const show = (value: number | null | undefined): Cell =>
    number(value === null || value === undefined ? null : scale * value, digits);
  const [middle, low, high] = [show(estimate?.estimate), show(estimate?.low), show(estimate?.high)];
  const range = low.value === null || high.value === null ? "" : ` [${low.text}, ${high.text}]`;
  return [{ text: `${middle.text}${middle.value === null ? "" : range}`, value: middle.value }, low, high];
}

/** Of paired values: where there are too few pairs for an interval, so many. */
export function pairedInterval(estimate: {
  readonly estimate: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
}): readonly [Cell, Cell, Cell] {
  const [middle, low, high] = interval(estimate);
  if (middle.value === null || low.value !== null) return [middle, low, high];
  return [{ ...middle, text: `${middle.text} (${estimate.n} pairs: too few for an interval)` }, low, high];
}
