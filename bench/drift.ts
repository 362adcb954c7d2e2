/**
 * How far do 8-bit weights move what a model predicts?
 *
 * f32 answers each prompt greedily; then both precisions read the same ids, prompt and answer, and are compared at every token of
 * the answer: KL(f32 ‖ q8) over the whole vocabulary, and whether both find the same token most probable. Last, how far q8's own
 * greedy answers go with f32's.
 */
import { join } from "node:path";
import { loadPrompts } from "../src/data/prompts.js";
import { compileBody } from "../src/decode/body.js";
import { createCache } from "../src/decode/cache.js";
import { prefill } from "../src/decode/prefill.js";
import { bakedWeight, quantize, quantizedLinear } from "../src/decode/quantize.js";
import { ability } from "../src/engine/refusals.js";
import type { Precision } from "../src/engine/requests.js";
import { argmax, createGraph, exp, input, linear, logSoftmax, mul, sub, sum } from "../src/graph/build.js";
import { openModel, readParameter } from "../src/models/open.js";
import { templateFrom } from "../src/options/template.js";
import { createCpuDevice } from "../src/runtime/cpu.js";
import type { Device, Tensor } from "../src/runtime/device.js";
import { openEngine } from "../src/steps/open-engine.js";
import { renderPrompt } from "../src/text/render.js";
import { present } from "../src/util/errors.js";
import { packageRoot } from "../src/util/system.js";
import { type Bench, count, type Figure, needed } from "./bench.js";

/** Rows read side by side, and rows of logits compared at once. */
const [ROWS, LOGITS] = [16, 32];

interface Answered {
  readonly promptIds: readonly number[];
  readonly ids: readonly number[];
}

export const drift: Bench = {
  about: "how far 8-bit weights move a model's predictions",
  flags: {
    model: { value: "DIR", help: "a model directory" },
    prompts: { value: "FILE", help: "instructions" },
    count: { value: "N", help: "prompts (200)" },
    tokens: { value: "N", help: "of each answer at most (32)" },
  },
  async *run(settings) {
    const assets = join(packageRoot(), "assets");
    const model = settings.quick ? join(assets, "stories260k") : needed(settings, "model");
    const prompts = settings.quick ? join(assets, "tiny", "prompts.jsonl") : needed(settings, "prompts");
    const limit = count(settings, "count", settings.quick ? 2 : 200);
    const tokens = count(settings, "tokens", settings.quick ? 4 : 32);
    const { threads } = settings;
    const asked = { model, prompts, limit, tokens, threads };
    const [answers, others] = [await greedyOf(asked, "f32"), await greedyOf(asked, "q8")];
    const [plain, coarse] = [
      await statesOf(model, answers, threads, "f32"),
      await statesOf(model, answers, threads, "q8"),
    ];
    const { kl, agree } = await compare(plain, coarse);
    yield {
      title: `drift of q8, ${model}: ${kl.length} tokens of ${answers.length} answers`,
      figures: [spread(kl)],
      notes: [`The same most probable token: ${percent(agree / kl.length)}.`, parting(answers, others, tokens)],
    };
  },
};

function spread(kl: readonly number[]): Figure {
  const sorted = [...kl].sort((a, b) => a - b);
  const [lowest, highest] = [present(sorted[0], "token"), present(sorted.at(-1), "token")];
  const mean = kl.reduce((total, x) => total + x, 0) / kl.length;
  const more = {
    "99th percentile": present(sorted[Math.floor(0.99 * sorted.length)], "token").toExponential(2),
  };
  return { work: "KL(f32 ‖ q8)", unit: "nats, mean", figure: mean, lowest, highest, more };
}

function parting(answers: readonly Answered[], others: readonly Answered[], tokens: number): string {
  const pairs = answers.map(({ ids }, i) => ({ a: ids, b: present(others[i], "answer").ids }));
  const common = pairs.map(({ a, b }) => {
    const at = a.findIndex((id, i) => id !== b[i]);
    return at < 0 ? a.length : at;
  });
  const same = pairs.filter(({ a, b }, i) => common[i] === Math.max(a.length, b.length)).length;
  const total = answers.reduce((sum, { ids }) => sum + ids.length, 0);
  const share = percent(common.reduce((a, b) => a + b, 0) / total);
  return `Own greedy answers of at most ${tokens} tokens are equal for ${percent(same / answers.length)} of prompts; ${share} of tokens come before they part.`;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

interface Asked {
  readonly model: string;
  readonly prompts: string;
  readonly limit: number;
  readonly tokens: number;
  readonly threads: number;
}

/** Greedy answers in the order of the prompts. */
async function greedyOf({ model, prompts, limit, tokens, threads }: Asked, precision: Precision): Promise<Answered[]> {
  await using opened = await openEngine({ threads, precision }).open(model);
  const { text } = opened;
  const requests: { id: string; promptIds: readonly number[]; conversationIds: readonly number[] }[] = [];
  for await (const { instruction } of loadPrompts(prompts, { limit }))
    requests.push({ id: `${requests.length}`, ...renderPrompt(text, templateFrom(), instruction) });
  const found = new Map<string, readonly number[]>();
  const how = { maxNewTokens: tokens, stopIds: [text.eosId], temperature: 0, seed: 0, batch: 64 };
  for await (const { id, ids } of ability(opened, "generate")(requests, how)) found.set(id, ids);
  return requests.map(({ id, promptIds }) => ({ promptIds, ids: present(found.get(id), "answer") }));
}

interface States {
  readonly device: Device;
  /** What the head gets at each answer token, all rows one after another: f32 [D] each. */
  readonly states: readonly Float32Array[];
  readonly head: Tensor;
  readonly width: number;
}

async function statesOf(
  directory: string,
  answers: readonly Answered[],
  threads: number,
  precision: Precision,
): Promise<States> {
  const device = createCpuDevice(threads);
  const opened = await openModel(directory);
  const { model } = opened;
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]));
  const tensorOf = async (name: string) =>
    device.fromFloats(await readParameter(opened, name), present(shapes.get(name), name));
  const read = async (names: readonly string[]) => {
    const tensors = new Map<string, Tensor>();
    for (const name of names) tensors.set(name, await tensorOf(name));
    return tensors;
  };
  const body = await compileBody(model, device, read, precision);
  const width = model.dims.hiddenSize;
  const states: Float32Array[] = [];
  for (let at = 0; at < answers.length; at += ROWS) {
    const rows = answers.slice(at, at + ROWS);
    const wanted = rows.map((): Float32Array[] => []);
    const ids = rows.map((row) => [...row.promptIds, ...row.ids].slice(0, -1));
    await prefill(body, createCache(device, model.dims, rows.length), ids, {
      async onChunk(chunk, done, counts) {
        const values = await device.floats(chunk);
        let token = 0;
        for (const [row, { promptIds }] of rows.entries()) {
          for (let i = 0; i < present(counts[row], "count"); i++, token++) {
            if (done + i < promptIds.length - 1) continue;
            wanted[row]?.push(values.slice(token * width, (token + 1) * width));
          }
        }
      },
    });
    states.push(...wanted.flat());
  }
  const head = await tensorOf(body.headName);
  await body[Symbol.asyncDispose]();
  await opened.weights.close();
  return { device, states, head, width };
}

async function compare(
  plain: States,
  coarse: States,
): Promise<{ readonly kl: readonly number[]; readonly agree: number }> {
  const { device, width, head } = plain;
  const rows = present(head.shape[0], "rows of the head");
  const graph = createGraph();
  const [a, b] = [input(graph, "a", "f32", ["R", width]), input(graph, "b", "f32", ["R", width])];
  const p = linear(a, input(graph, "head", "f32", head.shape));
  const q = quantizedLinear(b, "q", [rows, width]);
  const [logP, logQ] = [logSoftmax(p), logSoftmax(q)];
  const divergence = sum(mul(exp(logP), sub(logP, logQ)), [-1]);
  const outputs = new Map(Object.entries({ kl: divergence, best: argmax(p), other: argmax(q) }));
  const baked = { head, ...bakedWeight("q", quantize(device, await device.floats(head), [rows, width])) };
  const program = await device.compile(graph, outputs, { baked });
  const kl: number[] = [];
  let agree = 0;
  for (let at = 0; at < plain.states.length; at += LOGITS) {
    const fed = (states: readonly Float32Array[]) => {
      const here = states.slice(at, at + LOGITS);
      const padded = here.length + (here.length % 2); // an even number of rows, as in decoding
      const values = new Float32Array(padded * width);
      for (const [i, state] of here.entries()) values.set(state, i * width);
      return device.fromFloats(values, [padded, width]);
    };
    const results = await program.run({ a: fed(plain.states), b: fed(coarse.states) });
    const of = (name: string) => present(results[name], name);
    const here = Math.min(LOGITS, plain.states.length - at);
    kl.push(...(await device.floats(of("kl"))).slice(0, here));
    const [best, other] = [await device.ints(of("best")), await device.ints(of("other"))];
    agree += best.slice(0, here).filter((id, i) => id === other[i]).length;
  }
  await program[Symbol.asyncDispose]();
  return { kl, agree };
}
