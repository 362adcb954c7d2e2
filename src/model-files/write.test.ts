/** What is copied byte for byte, in which format weights go back, and that a directory is replaced whole. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelFolder } from "../../test/parity/fixtures.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { openModel, readParameters } from "../models/open.js";
import { createCpuDevice } from "../runtime/cpu.js";
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from "../util/float16.js";
import { openWeights } from "../weights/open.js";
import { writeModelWeights } from "../weights/safetensors-write.js";
import type { WeightDtype } from "../weights/weight-store.js";
import { isModelFile, writeModel, writeModelDirectory } from "./write.js";

const folder = temporaryFolder();
const source = modelFolder("llama-tied");
const device = createCpuDevice(1);

/** The fixture with its weights stored in another format; norms stay F32, as some publishers have it. */
async function modelStoredAs(dtype: WeightDtype): Promise<string> {
  const directory = folder.path(`source ${dtype}`);
  mkdirSync(directory, { recursive: true });
  for (const name of ["config.json", "tokenizer.json"]) copyFileSync(join(source, name), join(directory, name));
  const opened = await openModel(source);
  const tensors = opened.model.parameters.map(({ name, shape }) => ({
    name,
    shape,
    dtype: shape.length === 1 ? ("F32" as const) : dtype,
    values: () => opened.weights.read(name),
  }));
  await writeModelWeights(directory, tensors, { dtype });
  await opened.weights.close();
  return directory;
}

async function write(from: string, out: string, dtype?: WeightDtype): Promise<string> {
  const opened = await openModel(from);
  const parameters = await readParameters(opened, device);
  for (const tensor of parameters.values()) {
    const values = await device.floats(tensor);
    device.write(
      tensor,
      0,
      values.map((value) => value * 1.001),
    ); // no longer a 16-bit number
  }
  await writeModel(from, opened, { device, parameters, dtype }, out);
  await opened.weights.close();
  return out;
}

async function tensorsOf(directory: string): Promise<Map<string, { dtype: string; values: Float32Array }>> {
  const store = await openWeights(directory);
  const read = new Map<string, { dtype: string; values: Float32Array }>();
  for (const [name, { dtype }] of store.tensors) read.set(name, { dtype, values: await store.read(name) });
  await store.close();
  return read;
}

const rounding = {
  F32: (values: Float32Array) => values,
  F16: (values: Float32Array) => through(values, f32ToF16, f16ToF32),
  BF16: (values: Float32Array) => through(values, f32ToBf16, bf16ToF32),
};
function through(
  values: Float32Array,
  narrow: (from: Float32Array, to: Uint16Array) => void,
  widen: (from: Uint16Array, to: Float32Array) => void,
): Float32Array {
  const [bits, out] = [new Uint16Array(values.length), new Float32Array(values.length)];
  narrow(values, bits);
  widen(bits, out);
  return out;
}

describe("weights go back as they were read", () => {
  it.each(["F32", "F16", "BF16"] as const)("%s", async (dtype) => {
    const from = await modelStoredAs(dtype);
    const before = await tensorsOf(from);
    const after = await tensorsOf(await write(from, folder.path(`back ${dtype}`)));
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const [name, { dtype: stored, values }] of before) {
      const found = after.get(name)!;
      expect(found.dtype, name).toBe(stored);
      const tuned = values.map((value) => value * 1.001);
      expect(found.values, name).toEqual(rounding[stored as WeightDtype](tuned));
    }
  });
});

describe("--dtype", () => {
  it("names the format of all, and config.json follows so that no loader rounds again", async () => {
    const out = await write(source, folder.path("asked"), "BF16");
    expect(new Set([...(await tensorsOf(out)).values()].map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
    const read = (directory: string) => JSON.parse(readFileSync(join(directory, "config.json"), "utf8")) as object;
    expect(read(out)).toEqual({ ...read(source), dtype: "bfloat16" });
  });
  it("that is the configuration's leaves it alone", async () => {
    const out = await write(source, folder.path("same"), "F32");
    expect(readFileSync(join(out, "config.json"))).toEqual(readFileSync(join(source, "config.json")));
  });
});

it("copies configuration and tokenizer byte for byte, and nothing else", async () => {
  const out = await write(source, folder.path("copied"));
  expect(readdirSync(out).sort()).toEqual([
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  for (const name of readdirSync(out).filter((file) => file !== "model.safetensors"))
    expect(readFileSync(join(out, name))).toEqual(readFileSync(join(source, name)));
  expect(readdirSync(out).every(isModelFile)).toBe(true);
  expect(["run.json", "metrics.jsonl", "notes.txt", "model.bin", "epoch-1"].some(isModelFile)).toBe(false);
});

it("replaces a directory whole, and leaves the old one where it fails", async () => {
  const out = folder.path("epoch-1");
  mkdirSync(out);
  writeFileSync(join(out, "merges.txt"), "stale");
  const opened = await openModel(source);
  const parameters = await readParameters(opened, device);
  const broken = { ...device, floats: () => Promise.reject(new Error("the disk is full")) };
  const failing = writeModelDirectory(source, opened, { device: broken, parameters, dtype: undefined }, out);
  await expect(failing).rejects.toThrow("the disk is full");
  expect(readdirSync(out)).toEqual(["merges.txt"]);
  await writeModelDirectory(source, opened, { device, parameters, dtype: undefined }, out);
  expect(readdirSync(out)).toContain("model.safetensors");
  expect(readdirSync(out)).not.toContain("merges.txt");
  writeFileSync(join(out, "notes.txt"), "mine");
  await expect(writeModelDirectory(source, opened, { device, parameters, dtype: undefined }, out)).rejects.toThrow(
    /epoch-1 holds notes\.txt, which is not Tacit's/,
  );
  await opened.weights.close();
  expect(readdirSync(out)).toContain("notes.txt");
  expect(readdirSync(folder.path(".")).filter((name) => name.endsWith(".partial"))).toEqual([]);
});
