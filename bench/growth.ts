/**
 * Time and memory as the work grows; `--svg FILE` draws it. Every size is a process of its own.
 *
 * rows: `tacit tune` on the model in the package, one epoch over made-up rows. length, batch, model: one training step with Adam, half of
 * the positions supervised, random weights; a batch is computed in pieces of 2,048 positions, as `tacit tune` does.
 */
import { writeFileSync } from "node:fs";
import { readModelConfig } from "../src/models/open.js";
import { tuneOptions } from "../src/options/tune.js";
import { standalone } from "../src/report/svg.js";
import { present, UserError } from "../src/util/errors.js";
import { type Bench, type Figure, type Settings, temporaryFolder } from "./bench.js";
import { type Panel, panels } from "./growth-figure.js";
import { madeUpRows } from "./made-up-rows.js";
import { duration } from "./measure.js";
import { builtScript, takeTurns, timesOf } from "./peers/peer.js";
import type { TrainWork } from "./peers/tacit.js";
import { tacit, timed } from "./process.js";
import { halfSupervisedRows, type ShapeName, writeModel } from "./shapes.js";

/** Seconds of each run, and the most memory, in bytes. */
interface Cost {
  readonly times: readonly number[];
  readonly peak: number;
}
interface Point {
  readonly at: number;
  readonly cost: (settings: Settings) => Promise<Cost>;
}
/** What grows and along which axis. A series is a line of the plot. */
interface Work {
  readonly title: string;
  readonly axis: string;
  readonly series: readonly { readonly name: string; readonly points: readonly Point[] }[];
}

export const growth: Bench = {
  about: "time and memory with more rows, longer rows, larger batches, bigger models",
  flags: {
    only: { value: "NAMES", help: "of rows,length,batch,model" },
    svg: { value: "FILE", help: "draws what was measured" },
  },
  async *run(settings) {
    const known = settings.quick ? quickWorks : works;
    const names = settings.text("only")?.split(",") ?? Object.keys(known);
    const panelsMade: Panel[] = [];
    for (const name of names) {
      const work = Object.hasOwn(known, name) ? known[name] : undefined;
      if (work === undefined)
        throw new UserError(`nothing that grows is called ${name}`, { remedy: `--only takes ${Object.keys(known)}` });
      const figures: Figure[] = [];
      const series: { name: string; points: { at: number; seconds: number; gigabytes: number }[] }[] = [];
      for (const { name: way, points } of work.series) {
        const line: (typeof series)[number] = { name: way, points: [] };
        for (const { at, cost } of points) {
          const { times, peak } = await cost(settings);
          const memory = { "peak memory": `${(peak / 1e9).toFixed(2)} GB` };
          const figure = duration(`${at.toLocaleString("en-US")} ${work.axis}${way && `, ${way}`}`, times, memory);
          settings.note(`${work.title}: ${figure.work}: ${figure.figure.toFixed(2)} s, ${memory["peak memory"]}`);
          figures.push(figure);
          line.points.push({ at, seconds: figure.figure, gigabytes: peak / 1e9 });
        }
        series.push(line);
      }
      panelsMade.push({ title: work.title, axis: work.axis, series });
      yield { title: work.title, figures };
    }
    const file = settings.text("svg");
    if (file !== undefined) writeFileSync(file, `${standalone(panels(panelsMade))}\n`);
  },
};

interface Step {
  readonly shape: ShapeName;
  readonly rows: number;
  readonly time: number;
  readonly recompute?: boolean;
}
const stepAt = (at: number, step: Step): Point => ({ at, cost: (settings) => stepCost(step, settings) });
const LENGTHS = [256, 512, 1024, 2048];

const works: Readonly<Record<string, Work>> = {
  rows: {
    title: "tune 6.0M, one epoch",
    axis: "rows",
    series: [
      { name: "", points: [100, 1000, 10000].map((at) => ({ at, cost: (settings) => tuneCost(at, settings) })) },
    ],
  },
  length: {
    title: "step of 134.5M, one row",
    axis: "positions",
    series: [false, true].map((recompute) => ({
      name: recompute ? "--recompute" : "",
      points: LENGTHS.map((time) => stepAt(time, { shape: "134.5M", rows: 1, time, recompute })),
    })),
  },
  batch: {
    title: "step of 5.9M, rows of 256",
    axis: "rows in a batch",
    series: [{ name: "", points: [1, 4, 16, 64].map((rows) => stepAt(rows, { shape: "5.9M", rows, time: 256 })) }],
  },
  model: {
    title: "step of 2 rows of 256",
    axis: "million parameters",
    series: [
      {
        name: "",
        points: (["5.9M", "30M", "134.5M", "268M"] as const).map((shape) =>
          stepAt(Number.parseFloat(shape), { shape, rows: 2, time: 256 }),
        ),
      },
    ],
  },
};

const quickWorks: Readonly<Record<string, Work>> = {
  rows: {
    title: "tune 6.0M, one epoch",
    axis: "rows",
    series: [{ name: "", points: [{ at: 4, cost: (settings) => tuneCost(4, settings) }] }],
  },
  length: {
    title: "step of 0.1M, one row",
    axis: "positions",
    series: [{ name: "--recompute", points: [stepAt(32, { shape: "0.1M", rows: 1, time: 32, recompute: true })] }],
  },
};

async function stepCost({ shape, rows, time, recompute = false }: Step, settings: Settings): Promise<Cost> {
  using folder = temporaryFolder();
  const [directory, file] = [folder.at("model"), folder.at("work.json")];
  await writeModel(directory, shape);
  const { dims } = await readModelConfig(directory);
  const batch = halfSupervisedRows(rows, time, dims.vocabSize);
  const work: TrainWork = { rows: batch, microTokens: tuneOptions.microTokens.default, learningRate: 1e-5 };
  writeFileSync(file, JSON.stringify(work));
  const ours = ["--kind", "train", "--model", directory, "--work", file, "--threads", `${settings.threads}`];
  const args = [builtScript("tacit.js"), ...ours, ...(recompute ? ["--recompute"] : [])];
  const [peer] = await takeTurns([[process.execPath, args]], { runs: settings.runs, note: () => {} });
  return { times: timesOf(peer), peak: present(peer.found.at(-1)?.peak, "peak memory") };
}

/** One run; a process's start is part of it. */
async function tuneCost(rows: number, { threads }: Settings): Promise<Cost> {
  using folder = temporaryFolder();
  const data = madeUpRows(folder.at("rows.jsonl"), rows, { instruction: [3, 8], response: [4, 12] });
  const what = ["--model", "glasshouse", "--data", data, "--limit", "all", "--out", folder.at("tuned")];
  const how = ["--objective", "instruction", "--epochs", "1", "--batch", "16", "--threads", `${threads}`, "--json"];
  const { passed, output } = timed(...tacit("tune", ...what, ...how));
  return { times: [passed], peak: JSON.parse(output).peak_memory_bytes };
}
