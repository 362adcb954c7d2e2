/** Tacit itself, in a process of its own like its peers: `--kind decode|rank|train`, "go" in, one JSON line out. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { ability } from "../../src/engine/refusals.js";
import type { Precision } from "../../src/engine/requests.js";
import { openModel, readParameters } from "../../src/models/open.js";
import type { Row } from "../../src/records/row.js";
import { loadRules } from "../../src/rules/file.js";
import { resolveRules } from "../../src/rules/resolve.js";
import { createCpuDevice } from "../../src/runtime/cpu.js";
import { openEngine } from "../../src/steps/open-engine.js";
import { gradientNorm, updateByAdam } from "../../src/train/adam.js";
import { microBatches } from "../../src/train/batches.js";
import { compileLoss } from "../../src/train/loss-program.js";
import { freshState, gradientsOf } from "../../src/train/state.js";
import { largestMicroBatch } from "../../src/train/trainer.js";
import { packageVersion, peakMemory } from "../../src/util/system.js";
import { answerTurns } from "./answer.js";

/** What is to be done, as the bench writes it for all peers of a kind. */
export interface DecodeWork {
  readonly prompts: readonly (readonly number[])[];
  /** New ones for each prompt. */
  readonly tokens: number;
  readonly batch: number;
}
export interface RankWork {
  readonly rows: readonly { readonly prompt: readonly number[]; readonly response: readonly number[] }[];
}
export interface TrainWork {
  readonly rows: readonly Row[];
  readonly microTokens: number;
  readonly learningRate: number;
}

const text = { type: "string", default: "" } as const;
const { values } = parseArgs({
  options: {
    ...{ kind: text, model: text, work: text, threads: text, precision: { ...text, default: "f32" } },
    recompute: { type: "boolean", default: false },
  },
});
const threads = Number(values.threads);
const work: unknown = JSON.parse(readFileSync(values.work, "utf8"));
const name = `Tacit ${packageVersion()}`;
if (values.kind === "train") await train(work as TrainWork);
else await run(values.kind, values.precision as Precision);

async function run(kind: string, precision: Precision): Promise<void> {
  await using model = await openEngine({ threads, precision }).open(values.model);
  const [generate, score] = [ability(model, "generate"), ability(model, "score")];
  const { resolved: rules } = resolveRules((await loadRules("paper")).rules, model.text);
  const decode = async ({ prompts, tokens, batch }: DecodeWork) => {
    const requests = prompts.map((promptIds, i) => ({ id: `${i}`, promptIds, conversationIds: promptIds }));
    const how = { maxNewTokens: tokens, stopIds: [], temperature: 0, seed: 0, batch, rules };
    const ids = new Array<readonly number[]>(requests.length);
    for await (const result of generate(requests, how)) ids[Number(result.id)] = result.ids;
    return { ids };
  };
  const rank = async ({ rows }: RankWork) => {
    const requests = rows.map(({ prompt, response }, i) => ({ id: `${i}`, promptIds: prompt, responseIds: response }));
    const sums = new Array<number>(requests.length);
    for await (const { id, logprobs } of score(requests)) sums[Number(id)] = logprobs.reduce((a, b) => a + b, 0);
    return { sums };
  };
  const once = () => (kind === "rank" ? rank(work as RankWork) : decode(work as DecodeWork));
  await answerTurns(`${name}, ${precision}`, once);
}

/** What `tacit tune` does in a step, in its two parts. */
async function train({ rows, microTokens, learningRate }: TrainWork): Promise<void> {
  const device = createCpuDevice(threads);
  const opened = await openModel(values.model);
  const state = freshState(opened.model, device, await readParameters(opened, device));
  await opened.weights.close();
  const totals = gradientsOf(state.accumulators);
  const maxPositions = largestMicroBatch(rows, microTokens);
  const { recompute } = values;
  const program = await compileLoss(opened.model, device, { maxPositions, gradients: true, recompute });
  const batches = microBatches(rows, { reduction: "token", microTokens });
  const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  const once = async () => {
    const started = performance.now();
    for (const total of totals.values()) device.fill(total, 0);
    let loss = 0;
    for (const batch of batches) loss += await program.run(state.parameters, batch, totals);
    const gradients = (performance.now() - started) / 1000;
    const norm = await gradientNorm(device, state.accumulators);
    state.step += 1;
    const at = { step: state.step, learningRate, gradientScale: 1 };
    await updateByAdam(device, adam, state.parameters, state.accumulators, at);
    return { gradients, loss, norm, peak: peakMemory() };
  };
  await answerTurns(`${name}${recompute ? ", --recompute" : ""}`, once);
  await program[Symbol.asyncDispose]();
}
