/** Figures as Markdown, so that a run can be pasted into README.md as it is. May not know: how they came about. */
import type { Figure, Table } from "./bench.js";
import type { Machine } from "./measure.js";

/** A peak that moves by more than this between the start and the end of a table tells of other work on the machine. */
const UNSTEADY = 0.15;

/** GFLOP/s of matrix products before and after a table. */
export interface Peak {
  readonly before: number;
  readonly after: number;
}

export const best = ({ before, after }: Peak): number => Math.max(before, after);

export function machineLine({ processor, cores, threads, node, system, date, load }: Machine): string {
  const counted = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  const parts = [processor, counted(cores, "core"), counted(threads, "thread"), `Node ${node.slice(1)}`, system, date];
  return [...parts, ...(load === null ? [] : [`load ${load} at the start`])].join(" · ");
}

export function markdown({ title, figures, notes = [] }: Table, peak: Peak): string {
  const multiplies = figures.some(({ gigaflops }) => gigaflops !== undefined);
  const more = [...new Set(figures.flatMap((figure) => Object.keys(figure.more ?? {})))];
  const header = ["work", "figure (lowest to highest)", ...(multiplies ? ["GFLOP/s", "ratio"] : []), ...more];
  const rows = figures.map((figure) => [
    figure.work,
    `${rounded(figure.figure)} ${figure.unit} (${rounded(figure.lowest)} to ${rounded(figure.highest)})`,
    ...(multiplies ? productCells(figure, best(peak)) : []),
    ...more.map((name) => figure.more?.[name] ?? ""),
  ]);
  const lines = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const said = [...notes, ...unsteady(peak)].map((note) => `\n${note}\n`).join("");
  return `${title} · GEMM peak ${rounded(best(peak))} GFLOP/s\n\n${lines.join("\n")}\n${said}`;
}

const productCells = ({ gigaflops }: Figure, peak: number): [string, string] =>
  gigaflops === undefined ? ["–", "–"] : [rounded(gigaflops), (gigaflops / peak).toFixed(2)];

export const rounded = (value: number): string => (value > 0 && value < 0.01 ? value.toExponential(1) : inFull(value));

const inFull = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });

/** What a reader of the table must be told. */
function unsteady({ before, after }: Peak): string[] {
  const moved = Math.abs(after - before) / Math.max(after, before);
  if (moved <= UNSTEADY) return [];
  return [`The GEMM peak was ${rounded(before)} before and ${rounded(after)} after; the machine had other work.`];
}
