/**
 * How often do our 95 % intervals hold the truth? Data are drawn from a known world again and again; a share more than 2 points away from
 * 95 % fails.
 */
import { clusteredMean } from "../src/stats/cluster.js";
import type { Estimate } from "../src/stats/estimate.js";
import { lengthControlledWinRate } from "../src/stats/length-control.js";
import { crossedMean, pairedDifference } from "../src/stats/runs.js";
import { wilson } from "../src/stats/wilson.js";
import { type RandomStream, randomStream } from "../src/util/random.js";
import { type Bench, count, type Figure } from "./bench.js";
import { list, normal, sigmoid } from "./worlds.js";

const NOMINAL = 95;
const ALLOWED = 2;

interface World {
  readonly name: string;
  readonly truth: number;
  readonly draw: (random: RandomStream, trial: number) => Pick<Estimate, "low" | "high">;
  /** Of the trials, where one costs much. */
  readonly share?: number;
}

const worlds: readonly World[] = [
  {
    name: "Wilson: 30 % of 400",
    truth: 0.3,
    draw: (random) => wilson(list(400, () => random.uniform() < 0.3).filter(Boolean).length, 400),
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
    draw: (random) => crossedMean(runs(random, { runs: 5, run: 0.02 })),
  },
  {
    name: "prompts and runs: 5 runs, 200 prompts, runs matter most",
    truth: 0,
    draw: (random) => crossedMean(runs(random, { runs: 5, run: 0.3 })),
  },
  {
    name: "paired difference: 1 run each, 200 prompts",
    truth: 0,
    share: 0.5,
    draw: (random, trial) => paired(random, trial, { runs: 1, run: 0 }),
  },
  {
    name: "paired difference: 5 runs each, 200 prompts",
    truth: 0,
    share: 0.5,
    draw: (random, trial) => paired(random, trial, { runs: 5, run: 0.1 }),
  },
  {
    name: "length-controlled win rate: minimal, 400 verdicts",
    truth: 100 * sigmoid(-0.6),
    draw: (random) => lengthControlled(random, 400),
  },
];

export const coverage: Bench = {
  about: "how often 95 % intervals hold the truth of a known world",
  flags: { trials: { value: "N", help: "draws of each world (2000)" } },
  async *run(settings) {
    const trials = count(settings, "trials", settings.quick ? 10 : 2000);
    const figures = worlds.map((world) => covered(world, Math.ceil(trials * (world.share ?? 1))));
    const bad = figures.filter(({ figure }) => Math.abs(figure - NOMINAL) > ALLOWED);
    yield {
      title: `coverage of intervals, nominal ${NOMINAL} %`,
      figures,
      notes: bad.map(({ work }) => `${work}: more than ${ALLOWED} points from ${NOMINAL} %.`),
      failed: bad.length > 0 && !settings.quick, // ten draws tell nothing
    };
  },
};

function covered({ name, truth, draw }: World, trials: number): Figure {
  const holds = ({ low, high }: Pick<Estimate, "low" | "high">) =>
    low !== undefined && high !== undefined && low <= truth && truth <= high;
  const held = list(trials, (trial) => holds(draw(randomStream(trial, `coverage: ${name}`), trial)));
  const { low = 0, high = 1 } = wilson(held.filter(Boolean).length, trials);
  const share = (100 * held.filter(Boolean).length) / trials;
  const more = { trials: `${trials}` };
  return { work: name, unit: "%", figure: share, lowest: 100 * low, highest: 100 * high, more };
}

const PROMPTS = 200;
interface Runs {
  readonly runs: number;
  /** Standard deviation of runs; that of prompts is 0.5, of noise 1. */
  readonly run: number;
}
const promptEffects = (random: RandomStream) => list(PROMPTS, () => 0.5 * normal(random));

/** Run effects, prompt effects and noise; mean 0. `prompts` may be shared. */
function runs(random: RandomStream, world: Runs, prompts = promptEffects(random)): Float64Array[] {
  return list(world.runs, () => {
    const effect = world.run * normal(random);
    return Float64Array.from(prompts, (prompt) => effect + prompt + normal(random));
  });
}

/** Both models meet the same prompts. */
function paired(random: RandomStream, trial: number, world: Runs): Estimate {
  const prompts = promptEffects(random);
  return pairedDifference(runs(random, world, prompts), runs(random, world, prompts), { seed: trial, resamples: 500 });
}

/** Verdicts of a judge that likes length: σ(−1.5 tanh(Δ / sd Δ) − 0.6), Δ normal about −0.5 sd; the penalty is weak, so that the truth is σ(−0.6). */
function lengthControlled(random: RandomStream, n: number): Pick<Estimate, "low" | "high"> {
  const difference = Float64Array.from({ length: n }, () => Math.round(300 * (normal(random) - 0.5)));
  const p = difference.map((d) => (random.uniform() < sigmoid(-1.5 * Math.tanh(d / 300) - 0.6) ? 1 : 0));
  const rows = { p, lengthDifference: difference, difficulty: undefined, prompts: Int32Array.from(p.keys()) };
  const lc = lengthControlledWinRate(rows, { model: "minimal", c: 1e4 });
  return lc.kind === "fitted" ? lc.interval : { low: undefined, high: undefined };
}
