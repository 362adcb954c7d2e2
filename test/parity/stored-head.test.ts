/**
 * An output matrix that is stored beside a tied embedding. Where it differs Transformers 5 uses it, whatever config.json says; the judge is
 * here the same weights under a config that does not tie.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { embeddedEngine } from "../../src/embedded/embedded.js";
import { writeModel } from "../../src/model-files/write.js";
import { headName, type Model } from "../../src/models/model.js";
import { modelFromConfig, openModel, readParameters } from "../../src/models/open.js";
import { createCpuDevice } from "../../src/runtime/cpu.js";
import { writeModelWeights } from "../../src/weights/safetensors-write.js";
import type { WeightDtype } from "../../src/weights/weight-store.js";
import { temporaryFolder } from "../temporary-folder.js";
import { type ModelName, modelFolder, modelNames } from "./fixtures.js";

const folder = temporaryFolder();
const device = createCpuDevice(1);
let made = 0;

const configOf = (name: ModelName): Record<string, unknown> =>
  JSON.parse(readFileSync(join(modelFolder(name), "config.json"), "utf8")) as Record<string, unknown>;
const modelOf = (name: ModelName, tie: boolean): Model =>
  modelFromConfig({ ...configOf(name), tie_word_embeddings: tie }, "config.json");
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The family's model with every parameter of the untied form stored, and a config that ties. */
async function tiedFolder(
  name: ModelName,
  head: "differs" | "same" | "alone",
  dtype: WeightDtype = "F32",
): Promise<string> {
  const out = folder.path(`${name} ${made++}`);
  cpSync(modelFolder(name), out, { recursive: true });
  writeFileSync(join(out, "config.json"), JSON.stringify({ ...configOf(name), tie_word_embeddings: true }));
  const [embedding, headed] = [headName(modelOf(name, true)), headName(modelOf(name, false))];
  const values = (called: string, shape: readonly number[]): Float32Array => {
    const like = called === headed && head !== "differs" ? embedding : called;
    return Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * (1 + like.length)) * 0.5);
  };
  const stored = modelOf(name, false).parameters.filter((one) => head !== "alone" || one.name !== embedding);
  const tensors = stored.map((one) => ({ ...one, values: () => values(one.name, one.shape) }));
  await writeModelWeights(out, tensors, { dtype });
  return out;
}

const notesOf = async (directory: string): Promise<readonly string[]> => {
  await using model = await embeddedEngine({ threads: 1 }).open(directory);
  return model.notes;
};

describe.each(modelNames)("%s", (name) => {
  it("uses a head that differs, says so, and writes what it is", async () => {
    const opened = await openModel(await tiedFolder(name, "differs"));
    expect(opened.model.parameters).toEqual(modelOf(name, false).parameters);
    expect(headName(opened.model)).toBe(headName(modelOf(name, false)));
    expect(opened.notes).toEqual([expect.stringContaining(`${headName(opened.model)} is stored and differs`)]);
    expect(await notesOf(folder.path(`${name} ${made - 1}`))).toEqual(opened.notes);
    const parameters = await readParameters(opened, device);
    const out = folder.path(`${name} tuned`);
    await writeModel(folder.path(`${name} ${made - 1}`), opened, { device, parameters, dtype: undefined }, out);
    await opened.weights.close();
    expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8"))).toMatchObject({ tie_word_embeddings: false });
    const again = await openModel(out);
    expect(again.notes).toEqual([]);
    expect(again.weights.tensors.has(headName(again.model))).toBe(true);
    await again.weights.close();
  });

  it("is tied to a head that is stored without an embedding", async () => {
    const opened = await openModel(await tiedFolder(name, "alone"));
    expect(await notesOf(folder.path(`${name} ${made - 1}`))).toEqual([]);
    const both = await openModel(await tiedFolder(name, "same"));
    expect([opened.notes, opened.configChanges]).toEqual([[], {}]);
    expect(opened.weights.tensors.has(headName(opened.model))).toBe(false);
    const valuesOf = async (one: typeof opened) => {
      const parameters = await readParameters(one, device);
      return Promise.all(
        [...parameters].map(async ([called, tensor]) => [called, await device.floats(tensor)] as const),
      );
    };
    expect(await valuesOf(opened)).toEqual(await valuesOf(both));
    await opened.weights.close();
    await both.weights.close();
  });

  it("stays tied where the head is the same", async () => {
    const opened = await openModel(await tiedFolder(name, "same", "BF16"));
    await opened.weights.close();
    expect([opened.notes, opened.configChanges]).toEqual([[], {}]);
    expect(opened.model.parameters).toEqual(modelOf(name, true).parameters);
  });
});
