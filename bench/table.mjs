/** The results as a Markdown table, so that a run can be pasted into README.md as it is. May not know: how they came about. */

/** A peak that moves by more than this between the start and the end of a bench tells of other work on the machine. */
const UNSTEADY = 0.15;

export function machineLine({ processor, cores, threads, node, system, date, load }) {
  const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
  const parts = [processor, count(cores, "core"), count(threads, "thread"), `Node ${node.slice(1)}`, system, date];
  return [...parts, ...(load === null ? [] : [`load ${load} at the start`])].join(" · ");
}

export function table(results) {
  const header = ["work", "figure: median (lowest to highest)", "GFLOP/s", "GEMM peak, same run", "ratio"];
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...results.map((row) => line(cellsOf(row)))].join("\n");
}

function cellsOf({ work, unit, figure, lowest, highest, gigaflops, gemm_peak, ratio }) {
  return [
    work,
    `${rounded(figure)} ${unit} (${rounded(lowest)} to ${rounded(highest)})`,
    gigaflops === null ? "–" : rounded(gigaflops),
    rounded(gemm_peak),
    ratio === null ? "–" : ratio.toFixed(2),
  ];
}

const rounded = (value) => value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 2 : 0 });

/** What a reader of the table must be told. */
export function notes(results) {
  const unsteady = results.flatMap(({ work, gemm_peak_before: before, gemm_peak_after: after }) => {
    const moved = Math.abs(after - before) / Math.max(after, before);
    if (moved <= UNSTEADY) return [];
    return [
      `${work}: the GEMM peak was ${rounded(before)} before and ${rounded(after)} after; the machine had other work`,
    ];
  });
  return [...results.flatMap(({ note }) => note ?? []), ...unsteady];
}
