/** However the head is cut into chunks, loss and every gradient are the same; and gradients are added onto what is there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  largestDifference,
  modelFolder,
  modelNames,
  relativeDifference,
  rowOf,
  trainingOf,
} from "../../test/parity/fixtures.js";
import { runModel } from "../../test/parity/running.js";
import { liveFor } from "../graph/live.js";
import { modelFromConfig } from "../models/open.js";
import type { Tensor } from "../runtime/device.js";
import { microBatches } from "./batches.js";
import { CHUNK_LOGITS, compileLoss, EVALUATED_CHUNK_LOGITS, headChunks, lossGraph } from "./loss-program.js";

describe.each(["llama", "gemma3"] as const)("%s", (name) => {
  it("chunks of the head, the last of them padded, change nothing", async () => {
    const { model, device, parameters } = await runModel(modelFolder(name));
    const rows = trainingOf(name).rows.map(rowOf);
    const [batch] = microBatches(rows, { reduction: "reference", microTokens: 10_000 });
    const zeros = () => new Map(model.parameters.map((p): [string, Tensor] => [p.name, device.zeros(p.shape)]));
    const run = async (maxPositions: number, gradients: boolean) => {
      const program = await compileLoss(model, device, { maxPositions, gradients });
      const totals = zeros();
      const loss = await program.run(parameters, batch!, gradients ? totals : undefined);
      await program[Symbol.asyncDispose]();
      return { loss, totals };
    };
    const one = await run(1000, true);
    const chunks = 11;
    const many = Math.floor((chunks * CHUNK_LOGITS) / model.dims.vocabSize);
    expect(headChunks(model.dims.vocabSize, many)).toBe(chunks);
    expect(batch!.positions.length % chunks).not.toBe(0);
    const cut = await run(many, true);
    expect(relativeDifference(cut.loss, one.loss)).toBeLessThan(1e-6); // float32, sums in another order
    for (const [parameter, tensor] of one.totals) {
      const wanted = await device.floats(tensor);
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const found = await device.floats(cut.totals.get(parameter)!);
      expect(largestDifference(found, wanted), parameter).toBeLessThan(1e-5 * largest);
    }
    expect(headChunks(model.dims.vocabSize, many, EVALUATED_CHUNK_LOGITS)).toBe(4 * chunks);
    expect(relativeDifference((await run(many, false)).loss, one.loss)).toBeLessThan(1e-6);
  });
});

it.each(modelNames)("%s: behind the last layer's attention only supervised positions are computed", (name) => {
  const path = join(modelFolder(name), "config.json");
  const { graph, loss } = lossGraph(modelFromConfig(JSON.parse(readFileSync(path, "utf8")), path), 1);
  const ofWeights = liveFor(graph, [loss]).nodes.filter(
    ({ op, inputs }) => op === "matmul" && inputs[1]!.type.shape.length === 2,
  );
  const supervised = ofWeights.filter(({ outputs }) => outputs[0]!.type.shape[0] === "C");
  const plain = name.startsWith("gpt"); // up and down; elsewhere a gate besides
  expect(supervised.length).toBe(1 + (plain ? 2 : 3)); // and attention's output
});

it("a second batch's gradients are added to the first's", async () => {
  const { model, device, parameters } = await runModel(modelFolder("llama-tied"));
  const rows = trainingOf("llama-tied").rows.map(rowOf).slice(0, 4);
  const [batch] = microBatches(rows, { reduction: "token", microTokens: 10_000 });
  const program = await compileLoss(model, device, { maxPositions: 1000, gradients: true });
  const totals = new Map(model.parameters.map((p): [string, Tensor] => [p.name, device.zeros(p.shape)]));
  const first = await program.run(parameters, batch!, totals);
  const once = new Map<string, Float32Array>();
  for (const [parameter, tensor] of totals) once.set(parameter, (await device.floats(tensor)).slice());
  expect(await program.run(parameters, batch!, totals)).toBe(first);
  for (const [parameter, tensor] of totals) {
    const twice = once.get(parameter)!.map((value) => 2 * value);
    const largest = twice.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largestDifference(await device.floats(tensor), twice), parameter).toBeLessThan(1e-5 * largest);
  }
  await program[Symbol.asyncDispose]();
});

it("a row may be as long as the model, and its padding reach beyond it", async () => {
  const length = 29; // predicted from 29 positions, padded to 32
  const [row] = trainingOf("gpt2")
    .rows.map(rowOf)
    .sort((a, b) => b.inputIds.length - a.inputIds.length);
  const ids = Array.from({ length: length + 1 }, (_, i) => row!.inputIds[i % row!.inputIds.length]!);
  const one = { ...row!, inputIds: ids, labels: ids.map((id, i) => (i > 5 ? id : -100)) };
  const [batch] = microBatches([one], { reduction: "token", microTokens: 100 });
  expect(batch!.time).toBe(32);
  const lossOf = async (changes: Record<string, number>): Promise<number> => {
    const { model, device, parameters } = await runModel(modelFolder("gpt2"), changes);
    const fitting = new Map(
      model.parameters.map((p): [string, Tensor] => [p.name, device.view(parameters.get(p.name)!, 0, p.shape)]),
    );
    const program = await compileLoss(model, device, { maxPositions: 1000, gradients: false });
    const loss = await program.run(fitting, batch!);
    await program[Symbol.asyncDispose]();
    return loss;
  };
  expect(await lossOf({ n_positions: length })).toBe(await lossOf({}));
});

// Two layers each, of Gemma one of either kind: the least that is more than one.
const LAYERS = {
  llama: { num_hidden_layers: 2 },
  gemma3: { num_hidden_layers: 2, layer_types: ["sliding_attention", "full_attention"] },
  gpt2: { n_layer: 2 },
  "gpt-neox": { num_hidden_layers: 2 },
} as const;
describe.each(["llama", "gemma3", "gpt2", "gpt-neox"] as const)(
  "%s, layers made again for the backward pass",
  (name) => {
    it("gives the same bits", async () => {
      const { model, device, parameters } = await runModel(modelFolder(name), LAYERS[name]);
      expect(model.dims.windows.length).toBe(2);
      const rows = trainingOf(name).rows.map(rowOf).slice(0, 4);
      const [batch] = microBatches(rows, { reduction: "token", microTokens: 10_000 });
      const run = async (recompute: boolean) => {
        const program = await compileLoss(model, device, { maxPositions: 1000, gradients: true, recompute });
        const totals = new Map(model.parameters.map((p): [string, Tensor] => [p.name, device.zeros(p.shape)]));
        const loss = await program.run(parameters, batch!, totals);
        await program[Symbol.asyncDispose]();
        const values: Record<string, Float32Array> = {};
        for (const [parameter, tensor] of totals) values[parameter] = await device.floats(tensor);
        return { loss, values };
      };
      expect(await run(true)).toEqual(await run(false));
    });
  },
);
