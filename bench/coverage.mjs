/**
 * `node bench/coverage.mjs [--trials N] [--json]`: how often do our 95 % intervals hold the truth? Data are drawn from a known world again and
 * again; a share more than 2 points away from 95 % fails (exit status 1). Needs a build.
 */
import { parseArgs } from "node:util";
import { clusteredMean } from "../dist/stats/cluster.js";
import { lengthControlledWinRate } from "../dist/stats/length-control.js";
import { crossedMean, pairedDifference } from "../dist/stats/runs.js";
import { wilson } from "../dist/stats/wilson.js";
import { randomStream } from "../dist/util/random.js";

const { values } = parseArgs({
  options: { trials: { type: "string", default: "2000" }, json: { type: "boolean", default: false } },
});
const trials = Number(values.trials);
const NOMINAL = 95;
const ALLOWED = 2;

/** Each world: a truth, and how one interval is drawn. `share` of the trials, where one costs much. */
const worlds = [
  {
    name: "Wilson: 30 % of 400",
    truth: 0.3,
    draw: (random) =>
      wilson(
        count(400, () => random.uniform() < 0.3),
        400,
      ),
  },
  {
    name: "clustered mean: 100 instructions of 1 to 5 rows",
    truth: 0,
    draw: (random) =>
      clusteredMean(
        list(100, () => {
          const own = normal(random);
          return list(1 + random.integer(5), () => own + normal(random));
        }),
      ),
  },
  {
    name: "prompts and runs: 5 runs, 200 prompts, runs matter little",
    truth: 0,
    draw: (random) => crossedMean(runs(random, { runs: 5, prompts: 200, run: 0.02, prompt: 0.5 })),
  },
  {
    name: "prompts and runs: 5 runs, 200 prompts, runs matter most",
    truth: 0,
    draw: (random) => crossedMean(runs(random, { runs: 5, prompts: 200, run: 0.3, prompt: 0.5 })),
  },
  {
    name: "paired difference: 1 run each, 200 prompts",
    truth: 0,
    share: 0.5,
    draw: (random, trial) => paired(random, trial, { runs: 1, prompts: 200, run: 0, prompt: 0.5 }),
  },
  {
    name: "paired difference: 5 runs each, 200 prompts",
    truth: 0,
    share: 0.5,
    draw: (random, trial) => paired(random, trial, { runs: 5, prompts: 200, run: 0.1, prompt: 0.5 }),
  },
  {
    name: "length-controlled win rate: minimal, 400 verdicts",
    truth: 100 / (1 + Math.exp(0.6)),
    draw: (random) => lengthControlled(random, 400),
  },
];

const results = worlds.map(({ name, truth, draw, share = 1 }) => {
  const n = Math.round(trials * share);
  let held = 0;
  for (let trial = 0; trial < n; trial++) {
    const { low, high } = draw(randomStream(trial, `coverage: ${name}`), trial);
    if (low <= truth && truth <= high) held++;
  }
  const coverage = (100 * held) / n;
  const { low, high } = wilson(held, n);
  return { name, trials: n, coverage, low: 100 * low, high: 100 * high, ok: Math.abs(coverage - NOMINAL) <= ALLOWED };
});

if (values.json) process.stdout.write(`${JSON.stringify({ nominal: NOMINAL, allowed: ALLOWED, results }, null, 2)}\n`);
else {
  process.stdout.write(`| interval (nominal ${NOMINAL} %) | trials | coverage |\n| --- | --- | --- |\n`);
  for (const { name, trials: n, coverage, low, high, ok } of results) {
    process.stdout.write(
      `| ${name} | ${n} | ${coverage.toFixed(1)} % [${low.toFixed(1)}, ${high.toFixed(1)}]${ok ? "" : " FAILS"} |\n`,
    );
  }
}
if (results.some(({ ok }) => !ok)) process.exitCode = 1;

function list(n, make) {
  return Array.from({ length: n }, (_, i) => make(i));
}

function count(n, test) {
  return list(n, test).filter(Boolean).length;
}

/** Box and Muller (1958). */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}

/** Run effects, prompt effects and noise of standard deviation 1; mean 0. `prompts` may be shared. */
function runs(random, world, prompts = list(world.prompts, () => world.prompt * normal(random))) {
  return list(world.runs, () => {
    const effect = world.run * normal(random);
    return Float64Array.from(prompts, (prompt) => effect + prompt + normal(random));
  });
}

/** Both models meet the same prompts. */
function paired(random, trial, world) {
  const prompts = list(world.prompts, () => world.prompt * normal(random));
  return pairedDifference(runs(random, world, prompts), runs(random, world, prompts), { seed: trial, resamples: 500 });
}

/** Verdicts of a judge that likes length: σ(−1.5 tanh(Δ / sd Δ) − 0.6), Δ normal about −0.5 sd; the penalty is weak, so that the truth is σ(−0.6). */
function lengthControlled(random, n) {
  const difference = Float64Array.from({ length: n }, () => Math.round(300 * (normal(random) - 0.5)));
  const p = difference.map((d) => (random.uniform() < 1 / (1 + Math.exp(1.5 * Math.tanh(d / 300) + 0.6)) ? 1 : 0));
  const prompts = Int32Array.from(p.keys());
  return lengthControlledWinRate(
    { p, lengthDifference: difference, difficulty: undefined, prompts },
    { model: "minimal", c: 1e4 },
  ).interval;
}
