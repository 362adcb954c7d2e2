/** How fast are answers? Prompts side by side with the three rules, greedy; nothing stops them before their last token. */
import { randomStream } from "../dist/util/random.js";
import { besidePeak, repeat, result, seconds } from "./measure.mjs";
import { openForBench } from "./model.mjs";
import { randomIds, readingOperations } from "./shapes.mjs";

/** Prompts of 20 to 60 ids, as short instructions in the template have. */
const [SHORTEST, LONGEST] = [20, 60];

export async function benchDecode(options) {
  const [prompts, tokens] = options.quick ? [4, 8] : [64, 128];
  const { name, model, rules, loaded } = await openForBench(options);
  const work = `decode ${name} ${options.precision}, ${prompts} prompts × ${tokens} tokens, three rules`;
  options.note(`${work} (runs: ${options.runs})`);
  try {
    const requests = randomPrompts(prompts, model.dims.vocabSize);
    const how = { maxNewTokens: tokens, stopIds: [], temperature: 0, seed: 0, batch: prompts, rules };
    const once = () => seconds(() => answerAll(loaded, requests, how));
    const { value: times, peak } = await besidePeak(options, () => repeat(options.runs, once));
    const operations = requests.reduce((total, { promptIds }) => {
      const read = promptIds.length - 1 + tokens; // the last token is not read
      return total + readingOperations(model, { to: read, predicted: tokens });
    }, 0);
    return [result({ work, unit: "tokens/s", amount: prompts * tokens, times, operations, peak })];
  } finally {
    await loaded.close();
  }
}

function randomPrompts(count, vocabulary) {
  const random = randomStream(0, "bench: prompts");
  return Array.from({ length: count }, (_, i) => {
    const promptIds = randomIds(random, SHORTEST + random.integer(LONGEST - SHORTEST + 1), vocabulary);
    return { id: `${i}`, promptIds, conversationIds: promptIds };
  });
}

async function answerAll(loaded, requests, how) {
  let [answers, tokens] = [0, 0];
  for await (const { ids } of loaded.generate(requests, how)) {
    answers += 1;
    tokens += ids.length;
  }
  if (answers !== requests.length || tokens !== requests.length * how.maxNewTokens) {
    throw new Error(`internal: ${tokens} tokens in ${answers} answers`);
  }
}
