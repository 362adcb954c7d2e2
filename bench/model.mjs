/**
 * The model that `decode` and `rank` run: a directory by the embedded engine, or a shape with random weights by the same functions.
 * May not know: what is measured.
 */
import { basename, resolve } from "node:path";
import { compileBody } from "../dist/decode/body.js";
import { generateResponses } from "../dist/decode/generate.js";
import { compileLogprobs, compileNextToken } from "../dist/decode/head.js";
import { scoringBytes } from "../dist/decode/memory.js";
import { quantize } from "../dist/decode/quantize.js";
import { scoreResponses } from "../dist/decode/score.js";
import { loadEmbedded } from "../dist/embedded/model.js";
import { openModel } from "../dist/models/open.js";
import { loadRules } from "../dist/rules/file.js";
import { resolveRules } from "../dist/rules/resolve.js";
import { rampScore } from "../dist/rules/rules.js";
import { createCpuDevice } from "../dist/runtime/cpu.js";
import { loadTextModel } from "../dist/text/load.js";
import { availableMemory } from "../dist/util/system.js";
import { modelOfShape, randomValues } from "./shapes.mjs";

/** `name` for the table, `model` for its sizes, `rules` the paper's three in its vocabulary, `loaded` as an engine gives it. */
export async function openForBench({ model: directory, threads, quick, precision }) {
  if (directory !== undefined) return openDirectory(directory, threads, precision);
  const name = quick ? "0.1M" : "134.5M";
  const model = modelOfShape(name);
  return { name, model, rules: await rulesWithoutTexts(), loaded: await loadRandom(model, threads, precision) };
}

async function openDirectory(directory, threads, precision) {
  const { model, weights } = await openModel(directory);
  await weights.close();
  const { rules } = await loadRules("paper");
  const { resolved } = resolveRules(rules, await loadTextModel(directory));
  return {
    name: basename(resolve(directory)),
    model,
    rules: resolved,
    loaded: await loadEmbedded(directory, { threads, precision }),
  };
}

/** The paper's rules in a vocabulary of numbers: as many tokens with scores, whichever they are. */
async function rulesWithoutTexts() {
  const { rules } = await loadRules("paper");
  const ofKind = (kind) => rules.rules.find((rule) => rule.kind === kind);
  const [ramp, uniform, used] = [ofKind("eos_ramp"), ofKind("token_scores"), ofKind("used_tokens")];
  return {
    eosId: 2,
    constant: new Map([...uniform.scores.values()].map((score, i) => [100 + i, score])),
    stopScore: (n) => rampScore(ramp, n),
    usedTokens: [{ score: used.score, scope: used.scope }],
  };
}

async function loadRandom(model, threads, precision) {
  const device = createCpuDevice(threads);
  const specs = new Map(model.parameters.map((spec) => [spec.name, spec]));
  const tensorOf = (name) => device.fromFloats(randomValues(specs.get(name)), specs.get(name).shape);
  const read = async (names) => new Map(names.map((name) => [name, tensorOf(name)]));
  const body = await compileBody(model, device, read, precision);
  const heads = new Map();
  const headOf = async () => {
    const head = tensorOf(body.headName);
    if (precision === "f32") return head;
    const [rows, width] = head.shape;
    return { ...quantize(device, await device.floats(head), [rows, width]), width };
  };
  const once = (key, compile) => {
    if (!heads.has(key)) heads.set(key, headOf().then(compile));
    return heads.get(key);
  };
  const nextToken = (kind) => once(JSON.stringify(kind), (head) => compileNextToken(device, head, kind));
  const logprobs = () => once("logprobs", (head) => compileLogprobs(device, head));
  return {
    generate: (requests, options) => generateResponses({ body, head: nextToken }, requests, options),
    score: (requests) =>
      scoreResponses({ body, head: logprobs }, requests, { cacheBytes: scoringBytes(availableMemory().free) }),
    async close() {
      for (const program of await Promise.all(heads.values())) await program[Symbol.asyncDispose]();
      await body[Symbol.asyncDispose]();
    },
  };
}
