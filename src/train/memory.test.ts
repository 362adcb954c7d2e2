/** The estimate against sums that are known exactly, and the shapes it is asked for against the micro-batches that come. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { modelFolder, modelNames, trainingOf } from "../../test/parity/fixtures.js";
import { runModel } from "../../test/parity/running.js";
import { TUNING_BYTES_PER_PARAMETER } from "../engine/tuning.js";
import { parameterCount } from "../models/open.js";
import type { Row } from "../records/row.js";
import { microBatches } from "./batches.js";
import { type BatchShape, batchShapes, memoryEstimator } from "./memory.js";

describe.each(modelNames)("%s", (name) => {
  it("counts weights, gradients and Adam's moments to the byte, and everything else on top", async () => {
    const { model } = await runModel(modelFolder(name));
    const bytes = 4 * parameterCount(model);
    const { weights, gradients, adam, activations, total } = memoryEstimator(model, 64)({ rows: 2, time: 32 });
    expect([weights, gradients, adam]).toEqual([bytes, bytes, 2 * bytes]);
    expect(total).toBe(4 * bytes + activations);
    expect(TUNING_BYTES_PER_PARAMETER * parameterCount(model)).toBe(4 * bytes);
    const { heads, vocabSize, windows } = model.dims;
    const attention = (5 / 8) * 4 * windows.length * 2 * heads * 32 * 32; // probabilities of four blocks, which the backward pass reads
    const head = 4 * 4 * 64 * vocabSize; // logits, log-probabilities, probabilities and the error
    expect(activations).toBeGreaterThan(attention + head);
  });
  it("keeps, where layers are made again, the input of each and all of one", async () => {
    const { model } = await runModel(modelFolder(name));
    const shape = { rows: 4, time: 512 };
    const of = (recompute: boolean) => memoryEstimator(model, 64, { recompute })(shape).activations;
    const layers = model.dims.windows.length;
    const hidden = 4 * 4 * 512 * model.dims.hiddenSize;
    expect(of(false) - of(true)).toBeGreaterThan(layers * hidden); // each of these tiny layers keeps ten times that and more
    expect(of(true)).toBeGreaterThan(of(false) / (layers + 1));
  });
  it("grows with rows and with positions, with attention by their square", async () => {
    const { model } = await runModel(modelFolder(name));
    const estimate = memoryEstimator(model, 4096);
    const of = (rows: number, time: number): number => estimate({ rows, time }).total;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 120 }), (rows, time) => {
        expect(of(rows + 1, time)).toBeGreaterThan(of(rows, time));
        expect(of(rows, time + 1)).toBeGreaterThan(of(rows, time));
      }),
    );
    const growth = (time: number): number => of(1, 2 * time) - of(1, time);
    expect(growth(1024) / growth(512)).toBeGreaterThan(3); // 2 were linear, 4 all quadratic
  });
});

it("counts the logits of one chunk, not of all positions", async () => {
  const { model } = await runModel(modelFolder("llama"));
  const wide = { ...model, dims: { ...model.dims, vocabSize: 262_144 } };
  const of = (positions: number) => memoryEstimator(wide, positions)({ rows: positions / 64, time: 64 }).activations;
  expect(of(2048)).toBeLessThan(2.4 * 4 * (4 * 64 * 2 ** 20) * 1.1); // four arrays of 64 Mi numbers, whatever the positions
  expect(of(2048) - of(1024)).toBeLessThan(0.1 * of(1024));
});

it("counts the evaluation of rows held out, whose chunks are a quarter", async () => {
  const { model } = await runModel(modelFolder("llama"));
  const wide = { ...model, dims: { ...model.dims, vocabSize: 262_144 } };
  const shape = { rows: 32, time: 64 };
  const of = (heldOut: readonly BatchShape[]) => memoryEstimator(wide, 2048, { heldOut })(shape).total;
  const chunk = 2.4 * 4 * 3 * 16 * 2 ** 20;
  const more = of([shape]) - of([]);
  expect(more).toBeGreaterThan(chunk);
  expect(more).toBeLessThan(1.05 * chunk); // and one layer, of a tiny model
  expect(of([shape, { rows: 1, time: 32 }])).toBe(of([shape]));
});

it("asks for every shape that micro-batches can have", () => {
  const rows = trainingOf("llama").rows.map(
    (row, i): Row => ({
      id: `${i}`,
      inputIds: row.input_ids,
      labels: row.labels,
      promptTokens: 1,
      merged: false,
      cut: false,
    }),
  );
  fc.assert(
    fc.property(
      fc.shuffledSubarray(rows, { minLength: 1 }),
      fc.integer({ min: 1, max: 14 }),
      fc.integer({ min: 1, max: 200 }),
      (some, batch, microTokens) => {
        const shapes = batchShapes(some, { batch, microTokens });
        for (let from = 0; from < some.length; from += batch) {
          const step = some.slice(from, from + batch);
          for (const { rows: n, time } of microBatches(step, { reduction: "token", microTokens })) {
            expect(shapes.some((shape) => shape.time === time && shape.rows >= n)).toBe(true);
          }
        }
      },
    ),
  );
});
