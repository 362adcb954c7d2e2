/**
 * A tuned model as a directory that Transformers loads: what was read, with the tuned values in place of the old ones.
 * May not know: training.
 */
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { OpenModel } from "../models/open.js";
import type { Device, Tensor } from "../runtime/device.js";
import { refuseStrangers } from "../util/directories.js";
import { present } from "../util/errors.js";
import { makeDirectory, openAtomic, writeFileAtomic } from "../util/files.js";
import { inputChunks } from "../util/input.js";
import { readJson } from "../util/json.js";
import { modelDirectory } from "../util/model-directory.js";
import {
  ADDED_TOKENS,
  CONFIG,
  GENERATION_CONFIG,
  SPECIAL_TOKENS_MAP,
  TOKENIZER,
  TOKENIZER_CONFIG,
} from "../util/model-files.js";
import { isWeightsFile, writeModelWeights } from "../weights/safetensors-write.js";
import type { WeightDtype } from "../weights/weight-store.js";

/** What a model directory has besides configuration and weights; copied as it is. */
const COMPANIONS = [
  GENERATION_CONFIG,
  TOKENIZER,
  TOKENIZER_CONFIG,
  SPECIAL_TOKENS_MAP,
  ADDED_TOKENS,
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
  "chat_template.jinja",
];

/** Whether `writeModel` writes files of this name. */
export const isModelFile = (name: string): boolean =>
  name === CONFIG || COMPANIONS.includes(name) || isWeightsFile(name);

/** The model after an epoch, beside the one that is the result. */
export const epochFolder = (epoch: number): string => `epoch-${epoch}`;
export const isEpochFolder = (name: string): boolean => /^epoch-\d+$/.test(name);

export interface TunedModel {
  readonly device: Device;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Of the weights; default: of each tensor as it was read. */
  readonly dtype: WeightDtype | undefined;
}

/** Writes into `out`; each file appears whole, the weights last. */
export async function writeModel(named: string, opened: OpenModel, tuned: TunedModel, out: string): Promise<void> {
  const source = modelDirectory(named);
  await makeDirectory(out);
  for (const name of COMPANIONS) await copyWhole(join(source, name), join(out, name));
  const { model, weights, storedNames, configChanges } = opened;
  await writeConfig(join(source, CONFIG), join(out, CONFIG), tuned.dtype, configChanges);
  const tensors = model.parameters.map(({ name, shape }) => {
    const stored = present(storedNames.get(name), name);
    return {
      name: stored,
      shape,
      dtype: tuned.dtype ?? writable(weights.tensors.get(stored)?.dtype),
      values: () => tuned.device.floats(present(tuned.parameters.get(name), name)),
    };
  });
  await writeModelWeights(out, tensors, { dtype: tuned.dtype ?? "F32" });
}

/**
 * The same as a new directory that appears whole, in place of one that is there.
 * @throws UserError  somebody keeps files of their own there
 */
export async function writeModelDirectory(
  source: string,
  opened: OpenModel,
  tuned: TunedModel,
  out: string,
): Promise<void> {
  const partial = join(dirname(out), `.${basename(out)}.partial`);
  await rm(partial, { recursive: true, force: true });
  if (existsSync(out)) await refuseStrangers(out, isModelFile);
  try {
    await writeModel(source, opened, tuned, partial);
    await rm(out, { recursive: true, force: true });
    await rename(partial, out);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

async function copyWhole(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  const copy = await openAtomic(to);
  try {
    for await (const chunk of inputChunks(from)) await copy.write(chunk);
    await copy.commit();
  } catch (error) {
    await copy.discard();
    throw error;
  }
}

/** Byte for byte, unless it would tell a loader to round what `--dtype` asked for, or to tie what is not tied. */
async function writeConfig(
  from: string,
  to: string,
  dtype: WeightDtype | undefined,
  changes: OpenModel["configChanges"],
): Promise<void> {
  const config = (await readJson(from)) as Record<string, unknown>;
  const key = "dtype" in config ? "dtype" : "torch_dtype"; // the name since Transformers 5, and before
  const wanted = { ...changes, ...(dtype === undefined ? {} : { [key]: TORCH_DTYPE[dtype] }) };
  if (Object.entries(wanted).every(([name, value]) => config[name] === value)) return copyWhole(from, to);
  await writeFileAtomic(to, `${JSON.stringify({ ...config, ...wanted }, null, 2)}\n`);
}

const TORCH_DTYPE: Readonly<Record<WeightDtype, string>> = { F32: "float32", F16: "float16", BF16: "bfloat16" };

const writable = (dtype: string | undefined): WeightDtype => (dtype === "F16" || dtype === "BF16" ? dtype : "F32");
