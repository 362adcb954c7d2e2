/** How fast is ranking? Each instruction's own response and five rivals under its prompt, as `tacit rank` asks for them. */
import { rankPairs } from "../dist/rank/rank.js";
import { drawRivals } from "../dist/rank/rivals.js";
import { randomStream } from "../dist/util/random.js";
import { besidePeak, repeat, result, seconds } from "./measure.mjs";
import { openForBench } from "./model.mjs";
import { randomIds, readingOperations } from "./shapes.mjs";

const RIVALS = 5;

export async function benchRank(options) {
  const instructions = options.quick ? 3 : 16;
  const { name, model, loaded } = await openForBench(options);
  const work = `rank ${name} ${options.precision}, ${instructions} instructions × (1 + ${RIVALS}) responses`;
  options.note(`${work} (runs: ${options.runs})`);
  try {
    const examples = randomExamples(instructions, model.dims.vocabSize);
    const rivals = drawRivals(instructions, RIVALS, 0);
    const { amount, operations } = expected(model, examples, rivals);
    const once = () => seconds(() => rankAll(loaded, examples, rivals, amount));
    const { value: times, peak } = await besidePeak(options, () => repeat(options.runs, once));
    return [result({ work, unit: "response tokens/s", amount, times, operations, peak })];
  } finally {
    await loaded.close();
  }
}

/** Prompts of 20 to 60 ids, responses of 10 to 150. */
function randomExamples(count, vocabulary) {
  const random = randomStream(0, "bench: examples");
  const draw = (least, most) => randomIds(random, least + random.integer(most - least + 1), vocabulary);
  return Array.from({ length: count }, () => ({ promptIds: draw(20, 60), responseIds: draw(10, 150) }));
}

/** Response tokens that must be scored, each distinct response of an instruction once, its prompt read once; and what they cost. */
function expected(model, examples, rivals) {
  let [amount, operations] = [0, 0];
  examples.forEach(({ promptIds }, index) => {
    const prompt = promptIds.length - 1; // the last id is read with each response
    operations += readingOperations(model, { to: prompt, predicted: 0 });
    for (const response of new Set([index, ...rivals[index]])) {
      const tokens = examples[response].responseIds.length;
      amount += tokens;
      operations += readingOperations(model, { from: prompt, to: prompt + tokens, predicted: tokens });
    }
  });
  return { amount, operations };
}

async function rankAll(loaded, examples, rivals, amount) {
  const render = (instruction, response) => ({
    kind: "ready",
    promptIds: examples[instruction].promptIds,
    responseIds: examples[response].responseIds,
  });
  const cache = new Map();
  const ids = examples.map((_, i) => `${i}`);
  let pairs = 0;
  for await (const { outcome } of rankPairs(loaded, { ids, render, rivals, modelHash: "" }, { cache })) {
    if (outcome === "unscored") throw new Error("internal: a log-probability is not a number");
    pairs += 1;
  }
  const scored = [...cache.values()].reduce((total, { tokens }) => total + tokens, 0);
  if (pairs !== examples.length * RIVALS || scored !== amount) {
    throw new Error(`internal: ${scored} tokens in ${pairs} pairs, not ${amount}`);
  }
}
