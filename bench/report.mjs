/**
 * How long does a large report take, and how much memory? `tacit report` as a process, from start to end, on a made-up study of 10 arms, 5
 * seeds and 805 prompts: all answers, verdicts, certificates and training curves that a study of that size leaves.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { studySchema } from "../dist/records/study-file.js";
import { randomStream } from "../dist/util/random.js";
import { packageRoot } from "../dist/util/system.js";
import { besidePeak, median, repeat, result } from "./measure.mjs";

const run = promisify(execFile);

/** What a report of the whole size may take. */
const MOST = { seconds: 5, megabytes: 500 };

export async function benchReport(options) {
  const folder = mkdtempSync(join(tmpdir(), "tacit-bench-"));
  const size = options.quick ? { arms: 3, seeds: 2, prompts: 20 } : { arms: 10, seeds: 5, prompts: 805 };
  const named = `report of ${size.arms} arms × ${size.seeds} seeds × ${size.prompts} prompts`;
  try {
    const study = join(folder, "study");
    madeUpStudy(study, size);
    options.note(`${named} (runs: ${options.runs})`);
    const { value: runs, peak } = await besidePeak(options, () =>
      repeat(options.runs, () => reportOnce(study, join(folder, "report"))),
    );
    const times = runs.map(({ seconds }) => seconds);
    const megabytes = Math.max(...runs.map(({ megabytes: most }) => most));
    const page = statSync(join(folder, "report", "index.html")).size / 1024;
    const within = median(times) < MOST.seconds && megabytes < MOST.megabytes;
    const note = `${named}: ${median(times).toFixed(2)} s, ${megabytes.toFixed(0)} MB at most, a page of ${page.toFixed(0)} KB${
      within ? "" : `; more than ${MOST.seconds} s or ${MOST.megabytes} MB`
    }`;
    const amount = size.arms * size.seeds * size.prompts;
    const row = result({ work: `${named}, whole process`, unit: "answers/s", amount, times, peak });
    return [{ ...row, note: [note] }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The process says its own largest resident set when it ends. */
const TELL = `data:text/javascript,process.on("exit",()=>console.error("peak "+process.resourceUsage().maxRSS))`;

async function reportOnce(study, out) {
  const main = join(packageRoot(), "dist", "cli", "main.js");
  const started = performance.now();
  const { stderr } = await run(process.execPath, ["--import", TELL, main, "report", study, "--out", out, "--force"]);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, megabytes: Number(/^peak (\d+)$/m.exec(stderr)[1]) / 1024 };
}

function madeUpStudy(folder, { arms, seeds, prompts }) {
  const random = randomStream(0, "bench: answers");
  const words = "the rain falls on a small town where people read write and `count` <b>stars</b> & rivers".split(" ");
  const text = (least, most) =>
    Array.from({ length: least + random.integer(most - least + 1) }, () => words[random.integer(words.length)]).join(
      " ",
    );
  const put = (path, value) => {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), typeof value === "string" ? value : JSON.stringify(value));
  };
  const names = Array.from({ length: arms }, (_, i) => (i === 0 ? "instruction" : `arm-${i}`));
  const numbers = Array.from({ length: seeds }, (_, i) => i + 1);
  const asked = Array.from({ length: prompts }, (_, i) => `${i}: ${text(8, 40)}?`);
  const cells = [];
  const answersOf = new Map();
  for (const arm of names) {
    for (const seed of numbers) {
      const place = `steps/${arm}-${seed}`;
      const outputs = asked.map((instruction) => {
        const output = text(40, 320);
        return { instruction, output, generator: arm, tokens: output.split(" ").length, stop: "eos" };
      });
      answersOf.set(place, outputs);
      put(`${place}/outputs.json`, outputs);
      put(`${place}/run.json`, tuneRun(seed));
      put(`${place}/metrics.jsonl`, metrics(random));
      cells.push(cellOf(arm, seed, place, prompts));
    }
  }
  const comparisons = names.slice(1).map((arm) => {
    const pairs = numbers.map((seed) => {
      const annotations = `steps/judge-${arm}-${seed}/annotations.json`;
      const [one, two] = [answersOf.get(`steps/instruction-${seed}`), answersOf.get(`steps/${arm}-${seed}`)];
      put(
        annotations,
        asked.map((instruction, i) => ({
          instruction,
          output_1: one[i].output,
          output_2: two[i].output,
          preference: 1 + random.uniform(),
          outcome: "judged",
        })),
      );
      const ledger = { n: prompts, judged: prompts, ties: random.integer(20), unparsed: 0 };
      const sides = { seed, epochs: 3, against_seed: seed, against_epochs: 3 };
      return { ...sides, annotations, summary: { n_total: prompts, ledger, bounds: null, warnings: [] } };
    });
    const won = numbers.map((seed) => ({ seed, value: 30 + 40 * random.uniform() }));
    return {
      model: "base",
      arm,
      against: "instruction",
      pairs,
      win_rate: spread(won),
      length_controlled: spread(won),
      published: null,
    };
  });
  put("results.json", {
    version: 1,
    name: "large",
    state: "finished",
    steps: cells.map(({ arm, seed }) => step(arm, seed)),
    cells,
    choices: [],
    comparisons,
    rankings: [],
    similarities: [],
    left_out: [],
  });
  put("study.json", studyRecord(names, numbers));
}

const estimate = (value) => ({ estimate: value, low: value - 4, high: value + 4, n: 805, method: "made up" });

function spread(seeds) {
  const mean = seeds.reduce((sum, { value }) => sum + value, 0) / seeds.length;
  return { seeds, mean, sd: 1.2, interval: estimate(mean) };
}

const step = (arm, seed) => ({
  id: `generate/test/base/${arm}/seed-${seed}`,
  kind: "generate",
  key: `${arm}-${seed}`,
  folder: `steps/${arm}-${seed}`,
  needs: [],
  state: "done",
  reason: null,
});

const cellOf = (arm, seed, place, answers) => ({
  model: "base",
  arm,
  seed,
  epochs: 3,
  chosen: true,
  tuning: { step: `tune/base/${arm}`, model: place, run: `${place}/run.json`, metrics: `${place}/metrics.jsonl` },
  answers: [
    {
      split: "test",
      step: `generate/test/base/${arm}/seed-${seed}`,
      outputs: `${place}/outputs.json`,
      run: `${place}/outputs.run.json`,
      counts: { answers, stopped: answers, echoes: 3, tags: 1, empty: 0, mean_tokens: 180 },
    },
  ],
});

/** 20 epochs of 1,030 rows in batches of 64. */
const metrics = (random) =>
  Array.from({ length: 340 }, (_, step) => {
    const loss = 2.5 * Math.exp(-step / 200) + 0.1 * random.uniform();
    const sizes = { examples: 64, tokens: 30000, supervised_tokens: 25000 };
    return `${JSON.stringify({ step, epoch: Math.floor(step / 17), loss, lr: 1e-5, grad_norm: 1, ...sizes, seconds: 9 })}\n`;
  }).join("");

const TEMPLATE = "{BOS}<|user|>\n{instruction}\n<|assistant|>\n{response}{EOS}";

const tuneRun = (seed) => ({
  version: 1,
  command: "tune",
  engine: "embedded",
  device: "cpu",
  model: { path: "base", hash: "0" },
  data: { spec: "rows.jsonl", sha256: "0", rows: 1030, rows_sha256: "0", too_long: 0, held_out: 0, left_out: [] },
  options: { objective: "instruction", preset: "paper", reduction: "paper", schedule: "cosine", seed },
  template: TEMPLATE,
  certificate: {
    version: 1,
    template: TEMPLATE,
    tokenizer: "0",
    objective: "instruction",
    bos_id: 1,
    eos_id: 2,
    max_length: 2048,
    rows: 1030,
    rows_merged: 0,
    rows_cut: 12,
    rows_skipped: 0,
    rows_lossy: 0,
    responses: 1060,
    responses_empty: 0,
    responses_stopped: 1048,
    tokens: 610000,
    supervised_tokens: 520000,
    longest_row: 2048,
  },
  fingerprint: "0",
  versions: { tacit: "0.1.0", node: process.version },
  steps: 340,
  final_loss: 0.5,
  held_out: [],
  weights_sha256: "0",
  seconds: 1,
  tokens_per_second: 1,
  peak_memory_bytes: 1,
  finished: "2026-01-01T00:00:00.000Z",
});

const studyRecord = (arms, seeds) => ({
  version: 1,
  command: "study",
  tacit: "0.1.0",
  source: { path: "large.yaml", sha256: "0" },
  scale: null,
  study: studySchema.parse({
    version: 1,
    name: "large",
    about: "A made-up study, as large as the largest that is expected.",
    models: { base: { path: "base" } },
    data: { rows: "rows.jsonl", prompts: "prompts.json" },
    arms: Object.fromEntries(arms.map((arm) => [arm, { kind: "instruction", data: "rows" }])),
    seeds,
    epochs: [3],
    generation: { prompts: "prompts" },
  }),
  inputs: [{ role: "model", name: "base", path: "base", hash: "0".repeat(64) }],
  settings: { engine: "embedded", threads: 2 },
});
