/**
 * How often does the interval of the length-controlled win rate hold the truth, and how far is its estimate from it on average? Verdicts are
 * drawn again and again from a known world: instructions whose lengths differ by a normal variate half a standard deviation off equal (for
 * verdicts also 1.5 and 2, where few are near it), and a judge that prefers the model at equal lengths as often as `rate` says, with and
 * without a liking for length. Beside `--lc length` stands `minimal`, with AlpacaEval's penalty. Deterministic.
 * Fails: a coverage more than 2 points from 95 % (by more than chance) or, from 56 instructions on, a bias of a point or more in the draws
 * whose fit is not said to be extrapolated.
 */
import { type Lc, type LcRows, lengthControlledWinRate } from "../src/stats/length-control.js";
import { lengthFit } from "../src/stats/length-fit.js";
import { wilson } from "../src/stats/wilson.js";
import { type RandomStream, randomStream } from "../src/util/random.js";
import { type Bench, count, type Figure } from "./bench.js";
import { normal, sigmoid } from "./worlds.js";

/** Of the lengths, in standard deviations: of the first world, and of those in which the value at equal lengths is extrapolated. */
const OFFSET = 0.5;
const FAR = [1.5, 2];
/** One trial in so many is fitted with the penalty as well: its cross-validation takes fifty fits. */
const PENALISED = 10;

/** What the judge's logit varies by between instructions, and how verdicts come of it. */
interface Kind {
  readonly name: string;
  readonly spread: number;
  /** Of an instruction. */
  readonly rows: number;
  readonly verdict: (p: number, random: RandomStream) => number;
}
const drawn: Kind["verdict"] = (p, random) => (random.uniform() < p ? 1 : 0);
const kinds: readonly Kind[] = [
  { name: "verdicts", spread: 0, rows: 1, verdict: drawn },
  { name: "preferences", spread: 2, rows: 1, verdict: (p) => p },
  { name: "3 seeds", spread: 1.5, rows: 3, verdict: drawn },
];

interface World {
  readonly kind: Kind;
  readonly n: number;
  readonly offset: number;
  readonly liking: number;
  /** Percent at equal lengths. */
  readonly rate: number;
}

export const lengthControl: Bench = {
  about: "coverage and bias of the length-controlled win rate",
  flags: {
    trials: { value: "N", help: "draws of each world (1000)" },
    kind: { value: "NAME", help: `one of ${kinds.map(({ name }) => name).join(", ")} (all)` },
  },
  async *run(settings) {
    const trials = count(settings, "trials", settings.quick ? 2 : 1000);
    const wanted = kinds.filter(({ name }) => name === (settings.text("kind") ?? name));
    const worlds = wanted.flatMap((kind) => worldsOf(kind, settings.quick ? [24] : [24, 56, 200, 805]));
    const cells = worlds.map((world) => cellOf(world, trials));
    const failed = cells.filter(({ ok }) => !ok);
    yield {
      title: `length control: ${cells.length} worlds, ${trials} draws of each`,
      figures: cells.map(({ figure }) => figure),
      notes: failed.map(({ figure }) => `${figure.work}: too far off.`),
      failed: failed.length > 0 && !settings.quick, // two draws tell nothing
    };
  },
};

function worldsOf(kind: Kind, sizes: readonly number[]): World[] {
  const offsets = kind.name === "verdicts" ? [OFFSET, ...FAR] : [OFFSET];
  return sizes.flatMap((n) =>
    offsets.flatMap((offset) =>
      [0, -1.5].flatMap((liking) => [20, 43, 50, 65].map((rate) => ({ kind, n, offset, liking, rate }))),
    ),
  );
}

function cellOf(world: World, trials: number): { readonly figure: Figure; readonly ok: boolean } {
  const { kind, n, offset, liking, rate } = world;
  const draw = drawerOf(world);
  const [all, sure, penalised] = [openTally(rate), openTally(rate), openTally(rate)];
  for (let trial = 0; trial < trials; trial++) {
    const far = offset === OFFSET ? "" : ` ${offset}`;
    const rows = draw(randomStream(trial, `length control: ${kind.name} ${n} ${liking} ${rate}${far}`));
    const lc = lengthFit(rows);
    all.add(lc);
    if (lc.kind !== "fitted" || lc.note === undefined) sure.add(lc);
    if (offset === OFFSET && trial % PENALISED === 0)
      penalised.add(lengthControlledWinRate(rows, { model: "minimal" }));
  }
  const [tally, clear] = [all.figures(), sure.figures()];
  const { low = 0, high = 1 } = wilson(tally.held, tally.defined);
  const covers = 100 * low <= 97 && 100 * high >= 93;
  const unbiased = n < 56 || clear.defined === 0 || Math.abs(clear.bias) - 2 * clear.biasError < 1;
  const named = `${kind.name}, ${n} instructions, ${offset} off, ${liking === 0 ? "" : "likes length, "}true rate ${rate}`;
  const minimal = penalised.figures();
  const more = {
    bias: tally.bias.toFixed(2),
    width: tally.width.toFixed(0),
    undefined: `${tally.undefined}`,
    extrapolated: `${tally.defined - clear.defined}`,
    "bias of the others": clear.bias.toFixed(2),
    ...(offset === OFFSET
      ? { "`minimal`: coverage": minimal.coverage.toFixed(0), "`minimal`: bias": minimal.bias.toFixed(1) }
      : {}),
  };
  const figure = { work: named, unit: "%", figure: tally.coverage, lowest: 100 * low, highest: 100 * high, more };
  return { figure, ok: covers && unbiased };
}

function openTally(rate: number) {
  let [held, defined, without, error, squares, width] = [0, 0, 0, 0, 0, 0];
  return {
    add(lc: Lc): void {
      if (lc.kind !== "fitted") {
        without += 1;
        return;
      }
      const { low = lc.winRate, high = lc.winRate } = lc.interval;
      defined += 1;
      error += lc.winRate - rate;
      squares += (lc.winRate - rate) ** 2;
      width += high - low;
      if (low <= rate && rate <= high) held += 1;
    },
    figures: () => ({
      ...{ held, defined, undefined: without, coverage: (100 * held) / defined, width: width / defined },
      ...{ bias: error / defined, biasError: Math.sqrt(squares / defined / defined) },
    }),
  };
}

/** Rows of one instruction share what is said of it, and half of what their lengths vary by. */
function drawerOf({ kind, n, offset, liking, rate }: World): (random: RandomStream) => LcRows {
  const { spread, rows, verdict } = kind;
  const constant = constantFor(rate / 100, spread);
  const share = rows === 1 ? 1 : Math.SQRT1_2;
  return (random) => {
    const size = n * rows;
    const [p, lengthDifference, prompts] = [new Float64Array(size), new Float64Array(size), new Int32Array(size)];
    for (let instruction = 0; instruction < n; instruction++) {
      const own = constant + spread * normal(random);
      const length = share * normal(random);
      for (let row = 0; row < rows; row++) {
        const i = instruction * rows + row;
        const difference = Math.round(300 * (length + Math.sqrt(1 - share * share) * normal(random) - offset));
        prompts[i] = instruction;
        lengthDifference[i] = difference;
        p[i] = verdict(sigmoid(own + liking * Math.tanh(difference / 300)), random);
      }
    }
    return { p, lengthDifference, difficulty: undefined, prompts };
  };
}

/** The a with E σ(a + spread Z) = rate, Z standard normal, by bisection over a grid. */
function constantFor(rate: number, spread: number): number {
  const mean = (a: number) => {
    let [sum, weights] = [0, 0];
    for (let z = -6; z <= 6; z += 0.02) {
      const weight = Math.exp((-z * z) / 2);
      sum += weight * sigmoid(a + spread * z);
      weights += weight;
    }
    return sum / weights;
  };
  let [low, high] = [-20, 20];
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2;
    if (mean(middle) < rate) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
