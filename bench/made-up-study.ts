/**
 * A made-up study of any size: all the files that a report reads (answers, verdicts, certificates, training curves, similarities), with
 * numbers by lot. Nothing in it means anything.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { verdictOutcomes } from "../src/records/annotations.js";
import { studySchema } from "../src/records/study-file.js";
import type { WinrateEntry } from "../src/records/winrate.js";
import { type RandomStream, randomStream } from "../src/util/random.js";

/** Arms in the order in which a smaller study takes them. */
const ARMS = {
  instruction: { kind: "instruction", data: "rows", about: "tuned on instructions and responses" },
  response: { kind: "response", data: "rows", about: "tuned on responses alone" },
  untuned: { kind: "untuned", about: "the base model as it is" },
  rules: { kind: "rules", about: "three rules" },
  "rules-without-eos": { kind: "rules", disable: ["eos"] },
  "rules-without-diversity": { kind: "rules", disable: ["diversity"] },
  mbpp: { kind: "single-task", data: "rows", about: "tuned on programs" },
  gsm8k: { kind: "single-task", data: "rows", about: "tuned on arithmetic" },
  poetry: { kind: "single-task", data: "rows", about: "tuned on poems" },
  chess: { kind: "single-task", data: "rows", about: "tuned on games" },
};
/** Win rates of all but the first, as the paper has them. */
const PUBLISHED = [43.3, 2.4, 24.4, 10.4, 14.3, 16.9, 23.7, 22.9, 2.1];
const WORDS = "the rain falls on a small town where people read write and `count` <b>stars</b> & rivers".split(" ");

export interface StudySize {
  /** At most ten. */
  readonly arms: number;
  readonly seeds: number;
  readonly prompts: number;
}

export function madeUpStudy(folder: string, { arms, seeds, prompts }: StudySize): void {
  const random = randomStream(0, "bench: answers");
  const text = (least: number, most: number) =>
    Array.from({ length: least + random.integer(most - least + 1) }, () => WORDS[random.integer(WORDS.length)]).join(
      " ",
    );
  const put = (path: string, value: unknown) => {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), typeof value === "string" ? value : JSON.stringify(value));
  };
  const chosen = Object.keys(ARMS).slice(0, arms);
  const numbers = Array.from({ length: seeds }, (_, i) => i + 1);
  const asked = Array.from({ length: prompts }, (_, i) => `${i}: ${text(8, 40)}?`);
  const cells: ReturnType<typeof cellOf>[] = [];
  const answersOf = new Map<string, { readonly instruction: string; readonly output: string }[]>();
  for (const arm of chosen) {
    for (const seed of numbers) {
      const place = `steps/${arm}-${seed}`;
      const outputs = asked.map((instruction) => {
        const output = text(40, 320);
        return { instruction, output, generator: arm, tokens: output.split(" ").length, stop: "eos" };
      });
      answersOf.set(place, outputs);
      put(`${place}/outputs.json`, outputs);
      put(`${place}/outputs.run.json`, generateRun(arm, prompts));
      put(`${place}/run.json`, tuneRun(seed));
      put(`${place}/metrics.jsonl`, metrics(random));
      cells.push(cellOf({ arm, seed, place, prompts, random }));
    }
  }
  const comparisons = chosen.slice(1).map((arm, place) => {
    const mean = PUBLISHED[place] ?? 0;
    const pairs = numbers.map((seed) => {
      const annotations = `steps/judge-${arm}-${seed}/annotations.json`;
      const [one, two] = ["instruction", arm].map((side) => answersOf.get(`steps/${side}-${seed}`));
      put(
        annotations,
        asked.map((instruction, i) => ({
          ...{ instruction, output_1: one?.[i]?.output, output_2: two?.[i]?.output, outcome: "judged" },
          preference: 1 + (random.uniform() < mean / 100 ? 1 - 0.3 * random.uniform() : 0.3 * random.uniform()),
        })),
      );
      const sides = { seed, epochs: 3, against_seed: seed, against_epochs: 3 };
      return { ...sides, annotations, summary: verdicts(arm, annotations, prompts, mean, random) };
    });
    const won = numbers.map((seed) => ({ seed, value: mean + 3 * random.uniform() }));
    const controlled = won.map(({ seed, value }) => ({ seed, value: value + 2 * random.uniform() }));
    const rates = { win_rate: spread(won), length_controlled: spread(controlled) };
    return {
      model: "base",
      arm,
      against: "instruction",
      pairs,
      ...rates,
      published: { "Llama-2-7B": { mean, sd: 1 }, "OLMo-7B": { mean: mean + 4, sd: 1 } },
    };
  });
  const analysed = (arm: string, name: string, seed = 1) => ({
    model: "base",
    arm,
    seed,
    epochs: 3,
    name,
    step: `${name}/base/${arm}/seed-${seed}`,
  });
  const styled = chosen.slice(0, 2).flatMap((arm) => numbers.map((seed) => ({ arm, seed })));
  const similarities = styled.map(({ arm, seed }) => {
    const place = `steps/similarity-${arm}-${seed}`;
    const points = asked.map((instruction, index) => {
      const x = 0.3 * random.uniform();
      const y = 0.5 * x + 0.1 * random.uniform() - 0.05;
      return { index, instruction, output: text(10, 40), x, y, to_task: y + 0.1, to_reference: 0.1 };
    });
    put(`${place}/points.jsonl`, points.map((point) => `${JSON.stringify(point)}\n`).join(""));
    const totals = { mean_x: estimate(0.15, 0.01), mean_y: estimate(0.07, 0.01), correlation: estimate(0.4, 0.1) };
    put(`${place}/summary.json`, similaritySummary(points, totals));
    return { ...analysed(arm, "similarity", seed), folder: place, summary: `${place}/summary.json`, totals };
  });
  put("results.json", {
    version: 1,
    name: "large",
    state: "finished",
    steps: cells.map(({ arm, seed }) => step(arm, seed)),
    cells,
    choices: chosen.slice(0, 2).map((arm) => choice(arm, numbers, prompts)),
    comparisons,
    rankings: ["instruction", "response"].map((arm) => ({
      ...analysed(arm, "ranking"),
      ...{ summary: `steps/rank-${arm}/summary.json`, pairs: `steps/rank-${arm}/pairs.jsonl` },
      totals: { ...RANKED, sum: reading(0.58), mean: reading(0.67) },
    })),
    similarities,
    left_out: [],
  });
  put("study.json", studyRecord(chosen, numbers));
}

const estimate = (value: number, half = 4) => ({
  estimate: value,
  low: value - half,
  high: value + half,
  n: 805,
  method: "made up",
});

function spread(seeds: readonly { readonly seed: number; readonly value: number }[]) {
  const mean = seeds.reduce((sum, { value }) => sum + value, 0) / seeds.length;
  return { seeds, mean, sd: 1.2, interval: estimate(mean) };
}

function verdicts(arm: string, file: string, prompts: number, mean: number, random: RandomStream): WinrateEntry {
  const ties = random.integer(Math.min(20, prompts / 4));
  const won = Math.round(((prompts - ties) * mean) / 100);
  const rate = estimate(mean);
  return {
    ...{ name: arm, baseline: "instruction", annotator: "made up", file, win_rate: mean, standard_error: 1 },
    ...{ discrete_win_rate: mean, n_wins: won, n_wins_base: prompts - ties - won, n_draws: ties, n_total: prompts },
    ...{ length_controlled_winrate: mean, lc_standard_error: 1, avg_length: 900, c: null, weights: null },
    mean_length: { model: 900, baseline: 800 },
    lc: { model: "length", c_from: null, losses: null, difficulty_by: null, note: null },
    ledger: {
      ...(Object.fromEntries(verdictOutcomes.map((outcome) => [outcome, 0])) as Record<
        (typeof verdictOutcomes)[number],
        number
      >),
      ...{ n: prompts, judged: prompts, unexplained: 0, out_of_range: 0, ties, absent: null, repeated: 0 },
    },
    bounds: null,
    intervals: { win_rate: rate, discrete_win_rate: rate, length_controlled_winrate: rate },
    extreme_change: false,
    warnings: [],
  };
}

const RANKED = { instructions: 200, pairs: 1000, self_draws: 2, unscored: 0, unscored_reasons: {} };
const reading = (share: number) => ({
  ...{ greater: Math.round(1000 * share), less: 998 - Math.round(1000 * share), ties: 0 },
  ...{ rate: estimate(share, 0.05), rate_without_self_draws: estimate(share, 0.05) },
});

/** Three numbers of epochs, the last two tied. */
const choice = (arm: string, seeds: readonly number[], prompts: number) => ({
  ...{
    model: "base",
    arm,
    measure: "loss",
    chosen: 3,
    tied: [2, 3],
    seeds,
    prompts,
    prompts_left_out: 0,
    method: "made up",
  },
  epochs: [1, 2, 3].map((epochs) => ({
    epochs,
    value: estimate(2.6 - 0.1 * epochs, 0.05),
    worse_by: epochs === 3 ? null : estimate(0.3 - 0.1 * epochs, 0.15),
    tied: epochs > 1,
    seeds: seeds.map((seed) => ({ seed, value: 2.6 - 0.1 * epochs })),
  })),
});

const similaritySummary = (points: readonly object[], totals: object) => ({
  ...{
    version: 1,
    command: "similarity",
    tacit: "0.1.0",
    dimensions: 384,
    prefix: "",
    statistic: "mean",
    seconds: 1,
    ...totals,
  },
  outputs: { path: "outputs.json", hash: "0", generators: ["made up"], n: points.length, empty: 0 },
  task: { spec: "rows.jsonl", hash: "0", examples: 1000 },
  reference: { spec: "rows.jsonl", hash: "0", examples: 1000 },
  embedder: {
    ...{ kind: "encoder", path: "encoder", hash: "0".repeat(64), engine: "embedded", pooling: "mean" },
    ...{ max_tokens: 256, threads: 2, cut: 12 },
  },
  texts: { distinct: points.length, computed: points.length, reused: 0 },
  extremes: Object.fromEntries(
    ["highest_x", "median_x", "lowest_x", "highest_y", "lowest_y"].map((kind, i) => [kind, points.slice(i, i + 1)]),
  ),
});

const step = (arm: string, seed: number) => ({
  id: `generate/test/base/${arm}/seed-${seed}`,
  ...{
    kind: "generate",
    key: `${arm}-${seed}`,
    folder: `steps/${arm}-${seed}`,
    needs: [],
    state: "done",
    reason: null,
  },
});

const cellOf = ({ arm, seed, place, prompts, random }: Cell) => ({
  ...{ model: "base", arm, seed, epochs: 3, chosen: true },
  tuning: { step: `tune/base/${arm}`, model: place, run: `${place}/run.json`, metrics: `${place}/metrics.jsonl` },
  answers: [
    {
      split: "test",
      step: `generate/test/base/${arm}/seed-${seed}`,
      outputs: `${place}/outputs.json`,
      run: `${place}/outputs.run.json`,
      counts: {
        answers: prompts,
        stopped: Math.round(prompts * (0.7 + 0.3 * random.uniform())),
        echoes: random.integer(prompts),
        tags: random.integer(10),
        empty: random.integer(3),
        mean_tokens: 150 + 60 * random.uniform(),
      },
    },
  ],
});

interface Cell {
  readonly arm: string;
  readonly seed: number;
  readonly place: string;
  readonly prompts: number;
  readonly random: RandomStream;
}

/** 20 epochs of 1,030 rows in batches of 64. */
const metrics = (random: RandomStream) =>
  Array.from({ length: 340 }, (_, step) => {
    const loss = 2.5 * Math.exp(-step / 200) + 0.1 * random.uniform();
    const sizes = { examples: 64, tokens: 30000, supervised_tokens: 25000 };
    return `${JSON.stringify({ step, epoch: Math.floor(step / 17), loss, lr: 1e-5, grad_norm: 1, ...sizes, seconds: 9 })}\n`;
  }).join("");

const TEMPLATE = "{BOS}<|user|>\n{instruction}\n<|assistant|>\n{response}{EOS}";

const generateRun = (arm: string, count: number) => ({
  ...{ version: 1, command: "generate", tacit: "0.1.0", engine: "embedded", generator: arm },
  ...{ model: { path: "base", hash: "0" }, prompts: { source: "prompts.json", count, hash: "0" } },
  ...{ template: TEMPLATE, trimmed: true, bos: "auto" },
  rules: arm.startsWith("rules")
    ? { name: "paper", path: "paper.yaml", hash: "0", disabled: arm.split("-without-").slice(1), unresolved: ["<b>"] }
    : null,
  options: {
    ...{ max_new_tokens: 512, temperature: 0, seed: 0, stop_ids: [2] },
    ...{ batch: 64, precision: "f32", threads: 2, limit: null },
  },
  outcome: { eos: count, length: 0, tokens: 180 * count, computed: count, reused: 0, duplicates: 0 },
  timings: { seconds: 1, decode_seconds: 1 },
});

const tuneRun = (seed: number) => ({
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

const studyRecord = (arms: readonly string[], seeds: readonly number[]) => ({
  ...{
    version: 1,
    command: "study",
    tacit: "0.1.0",
    source: { path: "large.yaml", sha256: "0" },
    scale: null,
    flags: {},
  },
  study: studySchema.parse({
    version: 1,
    name: "large",
    about: "A made-up study, as large as the largest that is expected.",
    models: { base: { path: "base" } },
    data: { rows: "rows.jsonl", prompts: "prompts.json" },
    arms: Object.fromEntries(Object.entries(ARMS).filter(([arm]) => arms.includes(arm))),
    seeds,
    epochs: [1, 2, 3],
    selection: { measure: "loss", data: "rows" },
    generation: { prompts: "prompts", max_new_tokens: 512 },
    judge: "longer",
  }),
  inputs: [
    { role: "model", name: "base", path: "base", hash: "0".repeat(64) },
    { role: "data", name: "rows", path: "rows.jsonl", hash: "0" },
  ],
  settings: { engine: "embedded", threads: 2 },
});
