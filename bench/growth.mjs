/**
 * Time and memory as the work grows, after a build: `node bench/growth.mjs [--runs 3] [--threads N] [--only rows,length,batch,model]`.
 * Prints a table; `--svg FILE` draws it. Every size is a process of its own.
 *
 * rows: `tacit tune` on the model in the package, one epoch over made-up rows. length, batch, model: one training step with Adam, half of
 * the positions supervised, random weights; a batch is computed in pieces of 2,048 positions, as `tacit tune` does.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { element, figure, label, line, marker, path, standalone } from "../dist/report/svg.js";
import { availableCores, packageRoot } from "../dist/util/system.js";
import { machine } from "./measure.mjs";
import { madeUpRows } from "./render.mjs";
import { machineLine } from "./table.mjs";

const run = promisify(execFile);
const MICRO_TOKENS = 2048;
const text = { type: "string" };
const { values } = parseArgs({
  options: { runs: { ...text, default: "3" }, threads: text, only: text, svg: text },
});
const [runs, threads] = [Number(values.runs), Number(values.threads ?? availableCores())];

const sizes = (key, list, rest) =>
  list.map((at) => ({ at, job: { rows: 1, time: 512, microTokens: MICRO_TOKENS, ...rest, [key]: at } }));
/** What grows, along which axis, and what one size costs. A series is a line of the plot. */
const WORKS = [
  {
    key: "rows",
    title: "tune 6.0M, one epoch",
    axis: "rows",
    series: [{ name: "", points: [100, 1000, 10000].map((at) => ({ at })) }],
    measure: ({ at }) => tuneRows(at),
  },
  {
    key: "length",
    title: "step of 134.5M, one row",
    axis: "positions",
    series: [
      { name: "", points: sizes("time", [256, 512, 1024, 2048], { shape: "134.5M" }) },
      { name: "--recompute", points: sizes("time", [256, 512, 1024, 2048], { shape: "134.5M", recompute: true }) },
    ],
    measure: step,
  },
  {
    key: "batch",
    title: "step of 5.9M, rows of 256",
    axis: "rows in a batch",
    series: [{ name: "", points: sizes("rows", [1, 4, 16, 64], { shape: "5.9M", time: 256 }) }],
    measure: step,
  },
  {
    key: "model",
    title: "step of 2 rows of 256",
    axis: "million parameters",
    series: [
      {
        name: "",
        points: ["5.9M", "30M", "134.5M", "268M"].map((shape) => ({
          at: Number.parseFloat(shape),
          job: { shape, rows: 2, time: 256, microTokens: MICRO_TOKENS },
        })),
      },
    ],
    measure: step,
  },
];

async function step({ job }) {
  const script = join(import.meta.dirname, "growth-step.mjs");
  const { stdout } = await run(process.execPath, [script, JSON.stringify({ ...job, threads, runs })]);
  return JSON.parse(stdout);
}

async function tuneRows(count) {
  const folder = mkdtempSync(join(tmpdir(), "tacit-growth-"));
  try {
    const data = madeUpRows(join(folder, "rows.jsonl"), count, { instruction: [3, 8], response: [4, 12] });
    const main = join(packageRoot(), "dist", "cli", "main.js");
    const how = ["--objective", "instruction", "--epochs", "1", "--batch", "16", "--threads", `${threads}`];
    const started = performance.now();
    const { stdout } = await run(process.execPath, [
      ...[main, "tune", "--model", "glasshouse", "--data", data, "--limit", "all", "--out", join(folder, "tuned")],
      ...[...how, "--json"],
    ]);
    return { seconds: (performance.now() - started) / 1000, peak: JSON.parse(stdout).peak_memory_bytes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const wanted = values.only?.split(",") ?? WORKS.map(({ key }) => key);
const works = WORKS.filter(({ key }) => wanted.includes(key));
if (works.length < wanted.length) throw new Error(`--only takes ${WORKS.map(({ key }) => key).join(", ")}`);
for (const work of works)
  for (const { name, points } of work.series)
    for (const point of points) {
      Object.assign(point, await work.measure(point));
      const { at, seconds, peak } = point;
      process.stderr.write(`${work.title} ${name} ${at}: ${seconds.toFixed(2)} s, ${(peak / 1e9).toFixed(2)} GB\n`);
    }
process.stdout.write(`${machineLine(machine(threads))}\n\n${table(works)}\n`);
if (values.svg !== undefined) writeFileSync(values.svg, `${standalone(plot(works))}\n`);

function table(all) {
  const rows = all.flatMap(({ title, axis, series }) =>
    series.flatMap(({ name, points }) =>
      points.map(
        ({ at, seconds, peak }) =>
          `| ${[title, name].filter(Boolean).join(", ")} | ${at.toLocaleString("en-US")} ${axis} | ${seconds.toPrecision(3)} s | ${(peak / 1e9).toFixed(2)} GB |`,
      ),
    ),
  );
  return ["| work | size | time | peak memory |", "| --- | ---: | ---: | ---: |", ...rows].join("\n");
}

/** Two rows of panels, time over memory, a column a work; both axes are logarithms, so a straight line of slope 1 is "twice the work, twice the cost". */
function plot(all) {
  const [cell, height, left, top, gap] = [200, 150, 56, 44, 56];
  const measures = [
    { name: "seconds", of: ({ seconds }) => seconds },
    { name: "GB", of: ({ peak }) => peak / 1e9 },
  ];
  const content = all.flatMap(({ title, axis, series }, column) => {
    const x0 = left + column * (cell + 46);
    const x = logarithmic(
      series[0].points.map(({ at }) => at),
      [x0 + 10, x0 + cell - 10],
    );
    return [
      label(x0, 18, title),
      ...measures.flatMap(({ name, of }, row) => {
        const y0 = top + row * (height + gap);
        const [least, most] = [Math.min, Math.max].map((end) => end(...series.flatMap((one) => one.points.map(of))));
        const y = logarithmic([least / 1.3, most * 1.3], [y0 + height, y0]);
        const ticks = roundNumbers(least / 1.3, most * 1.3);
        return [
          ...ticks.flatMap((tick) => [
            line(x0, y(tick), x0 + cell, y(tick), "grid"),
            label(x0 - 6, y(tick) + 4, `${tick}`, { "text-anchor": "end", class: "quiet" }),
          ]),
          label(x0, y0 - 8, name, { class: "quiet" }),
          line(x0, y0 + height, x0 + cell, y0 + height, "axis"),
          ...series[0].points.map(({ at }) =>
            label(x(at), y0 + height + 17, Math.round(at).toLocaleString("en-US"), {
              "text-anchor": "middle",
              class: "quiet",
            }),
          ),
          ...(row === 1 ? [label(x0 + cell / 2, y0 + height + 36, axis, { "text-anchor": "middle" })] : []),
          ...series.flatMap(({ name: own, points }, i) => [
            path(
              points.map((point) => [x(point.at), y(of(point))]),
              `stroke-${i}`,
            ),
            ...points.map((point) => marker(i, x(point.at), y(of(point)), 3.5)),
            ...(own === "" || row === 0
              ? []
              : [marker(i, x0 + 12, y0 + 8, 3.5), label(x0 + 20, y0 + 12, own, { class: "quiet" })]),
          ]),
        ];
      }),
    ];
  });
  const width = left + all.length * (cell + 46);
  const bottom = top + 2 * (height + gap);
  const alt = "Time and peak memory as the work grows, on logarithmic axes";
  return figure(width, bottom, alt, [element("title", {}, alt), ...content]);
}

function logarithmic(domain, [from, to]) {
  const [low, high] = [Math.log(Math.min(...domain)), Math.log(Math.max(...domain))];
  return (value) => from + ((Math.log(value) - low) / (high - low)) * (to - from);
}

/** 1, 2 and 5 times the powers of ten between the two; powers alone where there are many. */
function roundNumbers(low, high) {
  const powers = Array.from({ length: 13 }, (_, i) => i - 6);
  const of = (steps) =>
    powers.flatMap((power) => steps.map((n) => Number(`${n}e${power}`))).filter((n) => n >= low && n <= high);
  const all = of([1, 2, 5]);
  return all.length > 6 ? of([1]) : all;
}
