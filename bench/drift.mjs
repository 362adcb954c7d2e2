/**
 * `node bench/drift.mjs --model DIR --prompts FILE`: how far do 8-bit weights move what a model predicts? Needs a build.
 *
 * f32 answers each prompt greedily; then both precisions read the same ids, prompt and answer, and are compared at every token of
 * the answer: KL(f32 ‖ q8) over the whole vocabulary, and whether both find the same token most probable. Last, how far q8's own
 * greedy answers go with f32's.
 */
import { parseArgs } from "node:util";
import { loadPrompts } from "../dist/data/prompts.js";
import { compileBody } from "../dist/decode/body.js";
import { createCache } from "../dist/decode/cache.js";
import { prefill } from "../dist/decode/prefill.js";
import { bakedWeight, quantize, quantizedLinear } from "../dist/decode/quantize.js";
import { loadEmbedded } from "../dist/embedded/model.js";
import { argmax, createGraph, exp, input, linear, logSoftmax, mul, sub, sum } from "../dist/graph/build.js";
import { openModel } from "../dist/models/open.js";
import { createCpuDevice } from "../dist/runtime/cpu.js";
import { loadTextModel } from "../dist/text/load.js";
import { renderPrompt } from "../dist/text/render.js";
import { templateFrom } from "../dist/text/template.js";
import { availableCores } from "../dist/util/system.js";

const text = { type: "string" };
const { values: flags } = parseArgs({
  options: {
    model: text,
    prompts: text,
    limit: { ...text, default: "200" },
    tokens: { ...text, default: "32" },
    threads: { ...text, default: `${availableCores()}` },
  },
});
if (flags.model === undefined || flags.prompts === undefined) {
  process.stderr.write("node bench/drift.mjs --model DIR --prompts FILE [--limit 200] [--tokens 32] [--threads N]\n");
  process.exit(2);
}
const [limit, tokens, threads] = [Number(flags.limit), Number(flags.tokens), Number(flags.threads)];
/** Rows read side by side, and rows of logits compared at once. */
const [ROWS, LOGITS] = [16, 32];

const answers = await greedyOf("f32");
const others = await greedyOf("q8");
const hidden = [await statesOf("f32"), await statesOf("q8")];
const { kl, agree } = await compare(hidden);
const common = answers.map(({ ids }, i) => sharedLength(ids, others[i].ids));
const same = answers.filter(({ ids }, i) => common[i] === Math.max(ids.length, others[i].ids.length)).length;
const sorted = [...kl].sort((a, b) => a - b);
const mean = kl.reduce((total, x) => total + x, 0) / kl.length;
const total = answers.reduce((count, { ids }) => count + ids.length, 0);
process.stdout.write(
  `${flags.model}, ${answers.length} prompts, ${kl.length} answer tokens: mean KL ${mean.toExponential(2)} nats, ` +
    `99th percentile ${sorted[Math.floor(0.99 * sorted.length)].toExponential(2)}, largest ${sorted.at(-1).toExponential(2)}; ` +
    `same most probable token ${percent(agree / kl.length)}; own greedy answers of at most ${tokens} tokens equal for ` +
    `${percent(same / answers.length)} of prompts, ${percent(common.reduce((a, b) => a + b, 0) / total)} of tokens before they part\n`,
);

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function sharedLength(a, b) {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return i;
  return end;
}

/** Greedy answers in the order of the prompts. */
async function greedyOf(precision) {
  const model = await loadTextModel(flags.model);
  const requests = [];
  for await (const { instruction } of loadPrompts(flags.prompts, { limit })) {
    requests.push({ id: `${requests.length}`, ...renderPrompt(model, templateFrom(), instruction) });
  }
  const loaded = await loadEmbedded(flags.model, { threads, precision });
  const found = new Array(requests.length);
  const how = { maxNewTokens: tokens, stopIds: [model.eosId], temperature: 0, seed: 0, batch: 64 };
  try {
    for await (const { id, ids } of loaded.generate(requests, how)) {
      found[Number(id)] = { promptIds: requests[Number(id)].promptIds, ids };
    }
  } finally {
    await loaded.close();
  }
  return found;
}

/** What the head gets at each answer token, all rows one after another. */
async function statesOf(precision) {
  const device = createCpuDevice(threads);
  const { model, weights, storedNames } = await openModel(flags.model);
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]));
  const read = async (names) => {
    const tensors = names.map(async (name) => {
      return [name, device.fromFloats(await weights.read(storedNames.get(name)), shapes.get(name))];
    });
    return new Map(await Promise.all(tensors));
  };
  const body = await compileBody(model, device, read, precision);
  const width = model.dims.hiddenSize;
  const states = [];
  for (let at = 0; at < answers.length; at += ROWS) {
    const rows = answers.slice(at, at + ROWS);
    const wanted = rows.map(() => []);
    await prefill(
      body,
      createCache(device, model.dims, rows.length),
      rows.map(({ promptIds, ids }) => [...promptIds, ...ids].slice(0, -1)),
      {
        async onChunk(chunk, done, counts) {
          const values = await device.floats(chunk);
          let token = 0;
          counts.forEach((count, row) => {
            for (let i = 0; i < count; i++, token++) {
              if (done + i >= rows[row].promptIds.length - 1)
                wanted[row].push(values.slice(token * width, (token + 1) * width));
            }
          });
        },
      },
    );
    states.push(...wanted.flat());
  }
  const head = (await read([body.headName])).get(body.headName);
  await body[Symbol.asyncDispose]();
  await weights.close();
  return { device, states, head, width };
}

async function compare([plain, coarse]) {
  const { device, width, head } = plain;
  const rows = head.shape[0];
  const graph = createGraph();
  const [a, b] = ["a", "b"].map((name) => input(graph, name, "f32", ["R", width]));
  const p = linear(a, input(graph, "head", "f32", head.shape));
  const q = quantizedLinear(b, "q", [rows, width]);
  const logs = [logSoftmax(p), logSoftmax(q)];
  const kl = sum(mul(exp(logs[0]), sub(logs[0], logs[1])), [-1]);
  const outputs = new Map(Object.entries({ kl, best: argmax(p), other: argmax(q) }));
  const baked = { head, ...bakedWeight("q", quantize(device, await device.floats(head), [rows, width])) };
  const program = await device.compile(graph, outputs, { baked });
  const all = [];
  let agree = 0;
  for (let at = 0; at < plain.states.length; at += LOGITS) {
    const fed = (states) => {
      const here = states.slice(at, at + LOGITS);
      const count = here.length + (here.length % 2); // an even number of rows, as in decoding
      const values = new Float32Array(count * width);
      for (const [i, state] of here.entries()) values.set(state, i * width);
      return device.fromFloats(values, [count, width]);
    };
    const results = await program.run({ a: fed(plain.states), b: fed(coarse.states) });
    const count = Math.min(LOGITS, plain.states.length - at);
    all.push(...(await device.floats(results.kl)).slice(0, count));
    const [best, other] = [await device.ints(results.best), await device.ints(results.other)];
    for (let i = 0; i < count; i++) if (best[i] === other[i]) agree += 1;
  }
  await program[Symbol.asyncDispose]();
  return { kl: all, agree };
}
