/**
 * `node bench/peers/train.mjs --python PYTHON`: whole training steps of Tacit and of Transformers, side by side: the same random weights,
 * the same ids, processes that hold their model and take turns, one step each. Needs a build; README.md says what Transformers needs.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { randomStream } from "../../dist/util/random.js";
import { availableCores } from "../../dist/util/system.js";
import { besidePeak, machine, median } from "../measure.mjs";
import { modelOfShape, randomIds, shapes, trainingOperations } from "../shapes.mjs";

const usage = `node bench/peers/train.mjs [--python PYTHON] [--only 134.5M] [--recompute] [--runs 5] [--threads N] [--json]

  --python PATH   a Python with torch and transformers; without: no Transformers, and nothing to begin from
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
    writeFileSync(
      work,
      JSON.stringify({ config: shapes[shape], ...randomRows(shape, rows, time), learning_rate: 1e-5 }),
    );
    const common = ["--model", model, "--work", work, "--threads", `${threads}`];
    const script = (name) => join(import.meta.dirname, name);
    execFileSync(values.python, [script("train_transformers.py"), ...common, "--init"], { stdio: "ignore" });
    peers.push(await start(process.execPath, [script("train_tacit.mjs"), ...common]));
    peers.push(await start(values.python, [script("train_transformers.py"), ...common]));
    if (values.recompute)
      peers.push(await start(process.execPath, [script("train_tacit.mjs"), ...common, "--recompute"]));
    const { peak } = await besidePeak({ threads, quick: false }, () => takeTurns(peers));
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

/** Loss on the second half of every row. `targets` are what each position predicts. */
function randomRows(shape, rows, time) {
  const random = randomStream(0, "bench: rows");
  const whole = Array.from({ length: rows }, () => randomIds(random, time + 1, shapes[shape].vocab_size));
  return {
    inputs: whole.map((ids) => ids.slice(0, -1)),
    targets: whole.map((ids) => ids.slice(1).map((id, i) => (i >= time / 2 ? id : -100))),
  };
}

async function takeTurns(peers) {
  for (let run = 0; run <= runs; run++) {
    for (const peer of peers) {
      const found = await peer.once();
      process.stderr.write(
        `run ${run} of ${runs}: ${peer.label}: ${found.seconds.toFixed(2)} s, loss ${found.loss.toFixed(5)}\n`,
      );
      if (run > 0) peer.times.push(found.seconds); // the first grows memory and caches
      peer.losses.push(found.loss);
      peer.peak = found.peak;
    }
  }
}

function figures({ label, times, losses, peak }, first, tokens, operations, gemmPeak) {
  const seconds = median(times);
  const apart = losses.map((loss, i) => Math.abs(loss - first.losses[i]) / first.losses[i]);
  const gigaflops = operations / seconds / 1e9;
  return {
    label,
    seconds,
    rate: tokens / seconds,
    lowest: tokens / Math.max(...times),
    highest: tokens / Math.min(...times),
    faster: seconds / median(first.times),
    gigaflops,
    ratio: gigaflops / gemmPeak,
    peak_bytes: peak,
    losses_apart: Math.max(...apart),
  };
}

/** Resolves when the model is loaded. */
async function start(command, args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args[0]} ended before it answered`);
    return JSON.parse(value);
  };
  const { peer: label } = await next();
  const once = () => {
    child.stdin.write("go\n");
    return next();
  };
  return { label, times: [], losses: [], once, stop: () => child.stdin.end() };
}

function table() {
  const { processor, cores, node, system, date, load } = machine(threads);
  const head = `${processor} · ${cores} cores · ${threads} threads · Node ${node} · ${system} · ${date} · load ${load} · medians of ${runs}`;
  const tables = results.map(({ shape, rows, time, gemm_peak, peers }) => {
    const lines = peers.map(
      (p) =>
        `| ${p.label} | ${round(p.rate)} tokens/s (${round(p.lowest)} to ${round(p.highest)}) | ${p.faster.toFixed(2)} | ` +
        `${round(p.gigaflops)} GFLOP/s, ${p.ratio.toFixed(2)} | ${(p.peak_bytes / 1e9).toFixed(2)} GB | ${p.losses_apart.toExponential(0)} |`,
    );
    return (
      `train ${shape}, ${rows} × ${time}, half supervised, with the gradient's norm and Adam; GEMM peak ${round(gemm_peak)} GFLOP/s\n\n` +
      `| | figure: median (lowest to highest) | ${peers[0].label} is … times as fast | of the GEMM peak | peak memory | losses apart |\n` +
      `| --- | --- | --- | --- | --- | --- |\n${lines.join("\n")}\n`
    );
  });
  return `${head}\n\n${tables.join("\n")}`;
}

function round(value) {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}
