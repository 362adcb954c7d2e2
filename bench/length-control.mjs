/**
 * `node bench/length-control.mjs [--quick] [--trials N] [--kind NAME] [--json]`: how often does the interval of the length-controlled win rate hold the
 * truth, and how far is its estimate from it on average? Verdicts are drawn again and again from a known world: instructions whose lengths
 * differ by a normal variate half a standard deviation off equal (for verdicts also 1.5 and 2, where few are near it), and a judge that prefers the model at equal lengths as often as `rate`
 * says, with and without a liking for length. Beside `--lc length` stands `minimal`, with AlpacaEval's penalty. Deterministic. Needs a build.
 * Exit status 1: a coverage more than 2 points from 95 % (by more than chance) or, from 56 instructions on, a bias of a point or more in
 * the draws whose fit is not said to be extrapolated.
 */
import { parseArgs } from "node:util";
import { lengthControlledWinRate } from "../dist/stats/length-control.js";
import { lengthFit } from "../dist/stats/length-fit.js";
import { wilson } from "../dist/stats/wilson.js";
import { randomStream } from "../dist/util/random.js";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    trials: { type: "string", default: "1000" },
    kind: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
/** Of the lengths, in standard deviations: of the first world, and of those in which the value at equal lengths is extrapolated. */
const OFFSET = 0.5;
const FAR = [1.5, 2];
const trials = values.quick ? 200 : Number(values.trials);
const sizes = values.quick ? [24, 56] : [24, 56, 200, 805];
/** Of the judge's logit: what it varies by between instructions, and how verdicts come of it. */
const kinds = {
  verdicts: { spread: 0, rows: 1, verdict: (p, random) => (random.uniform() < p ? 1 : 0) },
  preferences: { spread: 2, rows: 1, verdict: (p) => p },
  "3 seeds": { spread: 1.5, rows: 3, verdict: (p, random) => (random.uniform() < p ? 1 : 0) },
};
/** One trial in so many is fitted with the penalty as well: its cross-validation takes fifty fits. */
const PENALISED = 10;

const cells = [];
for (const kind of values.kind === undefined ? Object.keys(kinds) : [values.kind]) {
  for (const n of sizes) {
    for (const offset of kind === "verdicts" ? [OFFSET, ...FAR] : [OFFSET]) {
      for (const liking of [0, -1.5]) {
        for (const rate of [20, 43, 50, 65]) cells.push(cellOf({ kind, n, offset, liking, rate }));
      }
    }
  }
}
if (values.json) process.stdout.write(`${JSON.stringify({ trials, cells }, null, 2)}\n`);
const bad = cells.filter(({ ok }) => !ok).length;
if (!values.json) {
  const usual = cells.filter(({ offset }) => offset === OFFSET);
  const worst = (key, from = 0) => Math.max(...usual.filter(({ n }) => n >= from).map((cell) => Math.abs(cell[key])));
  const coverages = usual.map(({ coverage }) => coverage);
  process.stdout.write(
    `\n${cells.length} cells of ${trials}; at an offset of ${OFFSET}: coverage ${Math.min(...coverages).toFixed(1)} to ${Math.max(...coverages).toFixed(1)} %, ` +
      `largest bias ${worst("bias").toFixed(2)}, from 56 instructions on ${worst("bias", 56).toFixed(2)} points; ${bad} fail\n`,
  );
}
if (bad > 0) process.exitCode = 1;

function cellOf(world) {
  const { kind, n, offset, liking, rate } = world;
  const draw = drawerOf(kinds[kind], { n, offset, liking, rate: rate / 100 });
  const [tally, sure] = [openTally(rate), openTally(rate)];
  const penalised = openTally(rate);
  for (let trial = 0; trial < trials; trial++) {
    const far = offset === OFFSET ? "" : ` ${offset}`;
    const rows = draw(randomStream(trial, `length control: ${kind} ${n} ${liking} ${rate}${far}`));
    const lc = lengthFit(rows);
    tally.add(lc);
    if (lc.note === undefined) sure.add(lc);
    if (offset === OFFSET && trial % PENALISED === 0)
      penalised.add(lengthControlledWinRate(rows, { model: "minimal" }));
  }
  const figures = tally.figures();
  const { low, high } = wilson(tally.held, tally.defined);
  const chance = 100 * low > 97 || 100 * high < 93;
  const { bias, biasError } = sure.figures();
  const ok = !chance && (n < 56 || sure.defined === 0 || Math.abs(bias) - 2 * biasError < 1);
  const extrapolated = tally.defined - sure.defined;
  const cell = {
    kind,
    n,
    offset,
    liking,
    rate,
    ...figures,
    extrapolated,
    sureBias: bias,
    minimal: penalised.figures(),
    ok,
  };
  if (!values.json) print(cell);
  return cell;
}

function openTally(rate) {
  const sums = { held: 0, defined: 0, undefined: 0, error: 0, squares: 0, width: 0 };
  return {
    add(lc) {
      const { low, high } = lc.kind === "fitted" ? lc.interval : {};
      if (lc.kind !== "fitted") sums.undefined++;
      else {
        sums.defined++;
        sums.error += lc.winRate - rate;
        sums.squares += (lc.winRate - rate) ** 2;
        sums.width += (high ?? lc.winRate) - (low ?? lc.winRate);
        if ((low ?? lc.winRate) <= rate && rate <= (high ?? lc.winRate)) sums.held++;
      }
    },
    get held() {
      return sums.held;
    },
    get defined() {
      return sums.defined;
    },
    figures: () => ({
      coverage: (100 * sums.held) / sums.defined,
      bias: sums.error / sums.defined,
      biasError: Math.sqrt(sums.squares / sums.defined / sums.defined),
      width: sums.width / sums.defined,
      undefined: sums.undefined,
    }),
  };
}

function print({ kind, n, offset, liking, rate, coverage, bias, width, undefined: without, minimal, ok, ...of }) {
  if (!print.head) {
    process.stdout.write(
      "| verdicts | instructions | offset | judge likes length | true rate | coverage | bias | width | undefined | extrapolated | bias of the others | `minimal`: coverage | bias |\n" +
        "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    print.head = true;
  }
  process.stdout.write(
    `| ${kind} | ${n} | ${offset} | ${liking === 0 ? "no" : "yes"} | ${rate} | ${coverage.toFixed(1)}${ok ? "" : " FAILS"} | ${bias.toFixed(2)} | ${width.toFixed(0)} | ${without} | ${of.extrapolated} | ${of.sureBias.toFixed(2)} | ` +
      (offset === OFFSET ? `${minimal.coverage.toFixed(0)} | ${minimal.bias.toFixed(1)} |\n` : "– | – |\n"),
  );
}

/** Rows of one instruction share what is said of it, and half of what their lengths vary by. */
function drawerOf({ spread, rows, verdict }, { n, offset, liking, rate }) {
  const constant = constantFor(rate, spread);
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
function constantFor(rate, spread) {
  const mean = (a) => {
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

function sigmoid(z) {
  return 1 / (1 + Math.exp(-z));
}

/** Box and Muller (1958). */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}
