/**
 * How fast is a training step? On random weights and ids, half of the tokens supervised; or, with `--model` and `--data`, on real rows as
 * `tacit tune --objective response` takes them, all of them one step. Beside Transformers with `--python`.
 */

import { writeFileSync } from "node:fs";
import type { Model } from "../src/models/model.js";
import { readModelConfig } from "../src/models/open.js";
import { tuneOptions } from "../src/options/tune.js";
import type { Row } from "../src/records/row.js";
import { settleWork } from "../src/steps/tune/options.js";
import { readRows } from "../src/steps/tune/rows.js";
import { loadTextModel } from "../src/text/load.js";
import { present, UserError } from "../src/util/errors.js";
import { type Bench, count, needed, type Settings, type Table, temporaryFolder } from "./bench.js";
import { rate } from "./measure.js";
import { builtScript, furthest, pythonScript, type Start, speedOf, takeTurns } from "./peers/peer.js";
import type { TrainWork } from "./peers/tacit.js";
import {
  halfSupervisedRows,
  positionsOf,
  type ShapeName,
  shapeNamed,
  supervisedOf,
  trainingOperations,
  writeModel,
} from "./shapes.js";

/** Rows and positions of a batch of each shape. */
const SIZES: Readonly<Partial<Record<ShapeName, readonly [number, number]>>> = {
  "134.5M": [2, 512],
  "5.9M": [32, 256],
};

export const train: Bench = {
  about: "one training step: loss, gradients, their norm, Adam",
  flags: {
    shape: { value: "NAMES", help: "random weights: of 134.5M,5.9M,30M,268M,0.1M (default: the first two)" },
    rows: { value: "N", help: "random weights: rows in a batch" },
    time: { value: "N", help: "random weights: positions of a row" },
    model: { value: "DIR", help: "a model directory in place of random weights" },
    data: {
      value: "SPEC",
      help: "with --model: examples, of which the first are one batch (train), or are ranked or rendered",
    },
    count: { value: "N", help: "how many of --data or --prompts (64; rank: 16)" },
    "max-response-tokens": { value: "N", help: "rows of --data with longer responses are left out (420)" },
    recompute: { help: "Tacit a second time, keeping only the input of each layer" },
    python: { value: "PATH", help: "a Python with torch and transformers: the same there, in turns" },
  },
  async *run(settings) {
    if (settings.text("model") !== undefined) yield onRealRows(settings);
    else for (const name of shapesOf(settings)) yield onRandomRows(name, settings);
  },
};

const shapesOf = (settings: Settings): ShapeName[] =>
  (settings.text("shape") ?? (settings.quick ? "0.1M" : "134.5M,5.9M")).split(",").map(shapeNamed);

async function onRandomRows(shape: ShapeName, settings: Settings): Promise<Table> {
  using folder = temporaryFolder();
  const directory = folder.at("model");
  await writeModel(directory, shape);
  const model = await readModelConfig(directory);
  const [batch, positions] = SIZES[shape] ?? [2, 32];
  const [rows, time] = [count(settings, "rows", batch), count(settings, "time", positions)];
  const title = `train ${shape}, ${rows} × ${time}, half supervised`;
  return await inTurns(
    { title, directory, model, rows: halfSupervisedRows(rows, time, model.dims.vocabSize) },
    [[]],
    settings,
  );
}

async function onRealRows(settings: Settings): Promise<Table> {
  const [directory, data] = [needed(settings, "model"), needed(settings, "data")];
  const most = count(settings, "max-response-tokens", 420);
  const work = { model: directory, data, objective: "response", maxResponseTokens: most } as const;
  const { rows: all } = await readRows(settleWork(work), await loadTextModel(directory));
  const rows = all.slice(0, count(settings, "count", settings.quick ? 2 : 64));
  if (rows.length === 0) throw new UserError(`${data} has no row`, { remedy: "name other data" });
  const title = `train ${directory}: ${rows.length} rows of at most ${most} response tokens, ${supervisedOf(rows)} tokens supervised`;
  // Row by row with accumulated gradients, and eight padded rows at a time: the better of the two counts.
  const ways = [
    ["--at-once", "1"],
    ["--at-once", "8"],
  ];
  return await inTurns({ title, directory, model: await readModelConfig(directory), rows }, ways, settings);
}

interface Job {
  readonly title: string;
  readonly directory: string;
  readonly model: Model;
  readonly rows: readonly Row[];
}

/** @param ways  how Transformers computes the batch: arguments of its script */
async function inTurns(
  { title, directory, model, rows }: Job,
  ways: readonly string[][],
  settings: Settings,
): Promise<Table> {
  using folder = temporaryFolder();
  settings.note(title);
  const file = folder.at("work.json");
  const work: TrainWork = { rows, microTokens: tuneOptions.microTokens.default, learningRate: 1e-5 };
  writeFileSync(file, JSON.stringify(work));
  const common = ["--model", directory, "--work", file, "--threads", `${settings.threads}`];
  const ours = [builtScript("tacit.js"), "--kind", "train", ...common];
  const python = settings.text("python");
  const starts: Start[] = [[process.execPath, ours]];
  if (settings.given("recompute")) starts.push([process.execPath, [...ours, "--recompute"]]);
  if (python !== undefined) {
    const script = [pythonScript("train_transformers.py"), ...common];
    for (const way of ways) starts.push([python, [...script, ...way], way.length === 0 ? "" : `, ${way.join(" ")}`]);
  }
  const peers = await takeTurns(starts, settings, ({ loss }) => `, loss ${loss?.toFixed(5)}`);
  const shared = { unit: "tokens/s", amount: positionsOf(rows), operations: trainingOperations(model, rows) };
  const [tacit] = peers;
  const gradients = tacit.found.slice(1).map((found) => present(found.gradients, "gradients"));
  const beside: Parameters<typeof speedOf>[2]["beside"] = (peer, first) => ({
    "losses apart": furthest("loss", peer, first),
    "norms apart": furthest("norm", peer, first),
  });
  return {
    title,
    figures: [
      rate({ ...shared, work: `${tacit.label}: loss and gradients alone`, times: gradients }),
      ...peers.map((peer) => speedOf(peer, peers, { ...shared, beside })),
    ],
  };
}
