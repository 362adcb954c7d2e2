/**
 * `node bench/peers/train.mjs --python PYTHON`: whole training steps of Tacit and of Transformers, side by side: the same random weights,
 * the same ids, processes that hold their model and take turns, one step each. Needs a build; README.md says what Transformers needs.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_MICRO_TOKENS } from "../../dist/steps/tune/options.js";
import { availableCores } from "../../dist/util/system.js";
import { besidePeak, machine } from "../measure.mjs";
import { halfSupervisedRows, modelOfShape, shapes, trainingOperations } from "../shapes.mjs";
import {
  furthest,
  headline,
  markdown,
  round,
  speedCells,
  speedHeader,
  speedOf,
  startPeer,
  takeTurns,
} from "./peer.mjs";

const usage = `node bench/peers/train.mjs --python PYTHON [--only 134.5M] [--recompute] [--runs 5] [--threads N] [--json]

  --python PATH   a Python with torch and transformers; the weights that both begin from are made there
  --only NAMES    of 134.5M,5.9M,0.1M (default: the first two)
  --rows N, --time N   other sizes of the batch
  --recompute     a third process: Tacit keeping only the input of each layer
`;
const text = { type: "string" };
const flag = { type: "boolean", default: false };
const { values } = parseArgs({
  options: {
    python: text,
    only: { ...text, default: "134.5M,5.9M" },
    rows: text,
    time: text,
    runs: text,
    threads: text,
    recompute: flag,
    json: flag,
    help: flag,
  },
});
if (values.help || values.python === undefined) {
  process.stderr.write(usage);
  process.exit(values.help ? 0 : 2);
}
const [runs, threads] = [Number(values.runs ?? 5), Number(values.threads ?? availableCores())];
const sizes = { "134.5M": { rows: 2, time: 512 }, "5.9M": { rows: 32, time: 256 }, "0.1M": { rows: 2, time: 32 } };

const results = [];
for (const shape of values.only.split(",")) results.push(await compare(shape));
process.stdout.write(
  values.json ? `${JSON.stringify({ machine: machine(threads), runs, results }, null, 2)}\n` : table(),
);

async function compare(shape) {
  const [rows, time] = [Number(values.rows ?? sizes[shape].rows), Number(values.time ?? sizes[shape].time)];
  const folder = mkdtempSync(join(tmpdir(), "tacit-train-"));
  const peers = [];
  try {
    const [model, work] = [join(folder, "model"), join(folder, "work.json")];
    const content = {
      rows: halfSupervisedRows({ rows, time }, shapes[shape].vocab_size),
      microTokens: DEFAULT_MICRO_TOKENS,
      learningRate: 1e-5,
    };
    writeFileSync(work, JSON.stringify({ config: shapes[shape], ...content }));
    const common = ["--model", model, "--work", work, "--threads", `${threads}`];
    const script = (name) => join(import.meta.dirname, name);
    execFileSync(values.python, [script("train_transformers.py"), ...common, "--init"], { stdio: "ignore" });
    peers.push(await startPeer(process.execPath, [script("train_tacit.mjs"), ...common]));
    peers.push(await startPeer(values.python, [script("train_transformers.py"), ...common]));
    if (values.recompute)
      peers.push(await startPeer(process.execPath, [script("train_tacit.mjs"), ...common, "--recompute"]));
    const { peak } = await besidePeak({ threads, quick: false }, () => takeTurns(peers, runs, saidLoss));
    const operations = trainingOperations(modelOfShape(shape), { rows, time, supervised: (rows * time) / 2 });
    return {
      shape,
      rows,
      time,
      gemm_peak: peak.best,
      peers: peers.map((peer) => figures(peer, peers[0], rows * time, operations, peak.best)),
    };
  } finally {
    for (const peer of peers) peer.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function saidLoss({ loss }) {
  return `, loss ${loss.toFixed(5)}`;
}

function figures(peer, first, tokens, operations, gemmPeak) {
  const speed = speedOf(peer, first, tokens);
  const gigaflops = operations / speed.seconds / 1e9;
  return {
    ...speed,
    gigaflops,
    ratio: gigaflops / gemmPeak,
    peak_bytes: peer.found.at(-1).peak,
    losses_apart: furthest("loss", peer, first),
  };
}

function table() {
  const tables = results.map(({ shape, rows, time, gemm_peak, peers }) => {
    const title = `train ${shape}, ${rows} × ${time}, half supervised, with the gradient's norm and Adam; GEMM peak ${round(gemm_peak)} GFLOP/s`;
    const header = [...speedHeader(peers[0]), "of the GEMM peak", "peak memory", "losses apart"];
    const cells = peers.map((peer) => [
      ...speedCells(peer),
      `${round(peer.gigaflops)} GFLOP/s, ${peer.ratio.toFixed(2)}`,
      `${(peer.peak_bytes / 1e9).toFixed(2)} GB`,
      peer.losses_apart.toExponential(0),
    ]);
    return `${title}\n\n${markdown(header, cells)}`;
  });
  return `${headline(threads, runs)}\n\n${tables.join("\n")}`;
}
