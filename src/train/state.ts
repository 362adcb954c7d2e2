/**
 * Everything that a training run is made of between two steps, and how it lies on disk while the run is not finished.
 * A checkpoint is a folder that appears whole; the newest one counts. Values are stored as they are (float32), so that resuming
 * from it gives the same bits as never having stopped; a checksum of each tensor tells where a disk gives back others.
 */

import { existsSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { Model } from "../models/model.js";
import type { Accumulators, Device, Tensor } from "../runtime/device.js";
import { removeOwned } from "../util/directories.js";
import { present, UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { readJson } from "../util/json.js";
import { option, words } from "../util/words.js";
import { openWeights } from "../weights/open.js";
import { isWeightsFile, writeModelWeights } from "../weights/safetensors-write.js";

export interface TrainState {
  /** Steps done. */
  step: number;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** The gradient is of no meaning between two steps. */
  readonly accumulators: ReadonlyMap<string, Accumulators>;
}

const state = z.object({ step: z.number().int().nonnegative(), fingerprint: z.string() });
/** Of version 0.1 of this package there are checkpoints without checksums. */
const schema = z.discriminatedUnion("version", [
  state.extend({ version: z.literal(1) }),
  state.extend({ version: z.literal(2), crc32: z.record(z.string(), z.number()) }),
]);
type Checksums = Record<string, number>;
const NAME = /^checkpoint-(\d+)$/;
const STATE = "state.json";
type Moment = "first" | "second";
type Part = "parameters" | Moment;

const isCheckpointPart = (path: string): boolean => {
  const [part, name, ...more] = path.split("/");
  if (name === undefined) return part === STATE;
  return (
    ["parameters", "first", "second"].includes(part ?? "") && more.length === 0 && (name === "" || isWeightsFile(name))
  );
};

/** Whether a file of this path, from the folder of the checkpoints, is part of one. */
export function isCheckpointFile(path: string): boolean {
  const [checkpoint = "", ...rest] = path.split("/");
  return NAME.test(checkpoint) && (rest.join("/") === "" || isCheckpointPart(rest.join("/")));
}

/** Bytes of one checkpoint for each parameter: its value and two moments. */
export const CHECKPOINT_BYTES_PER_PARAMETER = 12;

export function freshState(model: Model, device: Device, parameters: ReadonlyMap<string, Tensor>): TrainState {
  const zeros = device.accumulators(model.parameters.map(({ shape }) => shape));
  const accumulators = model.parameters.map(({ name }, i) => [name, present(zeros[i], name)] as const);
  return { step: 0, parameters, accumulators: new Map(accumulators) };
}

/** The running totals that gradients are added to. */
export const gradientsOf = (accumulators: TrainState["accumulators"]): ReadonlyMap<string, Tensor> =>
  new Map([...accumulators].map(([name, { gradient }]) => [name, gradient]));

/**
 * Writes `folder/checkpoint-N` and removes older ones.
 * @param fingerprint hash of all that determines the run; resuming under another one is refused
 */
export async function saveCheckpoint(
  folder: string,
  state: TrainState,
  device: Device,
  fingerprint: string,
): Promise<void> {
  const final = join(folder, `checkpoint-${state.step}`);
  const partial = join(folder, `.checkpoint-${state.step}.partial`);
  await rm(partial, { recursive: true, force: true });
  try {
    const record: z.infer<typeof schema> = {
      version: 2,
      step: state.step,
      fingerprint,
      crc32: await writeState(partial, state, device),
    };
    await writeFileAtomic(join(partial, STATE), JSON.stringify(record));
    await removeOwned(final, isCheckpointPart);
    await rename(partial, final);
  } catch (error) {
    await rm(partial, { recursive: true, force: true }); // a full disk must not stay full
    throw error;
  }
  for (const older of await checkpoints(folder)) {
    if (older.step < state.step) await removeOwned(older.path, isCheckpointPart);
  }
}

/** Gives the checksum of each tensor. */
async function writeState(directory: string, state: TrainState, device: Device): Promise<Checksums> {
  const checksums: Checksums = {};
  const valuesOf = async (place: string, tensor: Tensor): Promise<Float32Array> => {
    const values = await device.floats(tensor);
    checksums[place] = checksumOf(values);
    return values;
  };
  const write = (part: Part, tensors: Iterable<readonly [string, Tensor]>): Promise<unknown> =>
    writeModelWeights(
      join(directory, part),
      [...tensors].map(([name, tensor]) => ({
        name,
        shape: tensor.shape,
        values: () => valuesOf(`${part}/${name}`, tensor),
      })),
      { dtype: "F32" },
    );
  const moment = (key: Moment) => [...state.accumulators].map(([name, all]) => [name, all[key]] as const);
  await write("parameters", state.parameters);
  await write("first", moment("first"));
  await write("second", moment("second"));
  return checksums;
}

const checksumOf = (values: Float32Array): number =>
  crc32(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

/**
 * The newest checkpoint in `folder`, or undefined where there is none.
 * @throws UserError  it belongs to another run, or is damaged
 */
export async function loadCheckpoint(
  folder: string,
  model: Model,
  device: Device,
  fingerprint: string,
): Promise<TrainState | undefined> {
  const newest = (await checkpoints(folder)).at(-1);
  if (newest === undefined) return undefined;
  const text = await readJson(join(newest.path, STATE)).catch(asDamage(newest.path, STATE));
  const record = schema.safeParse(text);
  if (!record.success || record.data.step !== newest.step) throw damaged(newest.path, STATE);
  if (record.data.fingerprint !== fingerprint) {
    throw new UserError(`${newest.path} belongs to a run with other options, data or threads`, {
      remedy: words`repeat the options of that run, or pass ${option("force")} to replace it`,
    });
  }
  const checksums = "crc32" in record.data ? record.data.crc32 : undefined;
  const parameters = new Map<string, Tensor>();
  await readPart(newest.path, "parameters", model, checksums, (name, values, shape) => {
    parameters.set(name, device.fromFloats(values, shape));
  });
  const state = { ...freshState(model, device, parameters), step: record.data.step };
  for (const moment of ["first", "second"] as const) {
    await readPart(newest.path, moment, model, checksums, (name, values) => {
      device.write(present(state.accumulators.get(name), name)[moment], 0, values);
    });
  }
  return state;
}

/** Every parameter's values, one after another. */
async function readPart(
  checkpoint: string,
  part: Part,
  model: Model,
  checksums: Checksums | undefined,
  take: (name: string, values: Float32Array, shape: readonly number[]) => void,
): Promise<void> {
  const store = await openWeights(join(checkpoint, part)).catch(asDamage(checkpoint, part));
  try {
    for (const { name, shape } of model.parameters) {
      const stored = store.tensors.get(name);
      if (stored?.dtype !== "F32" || stored.shape.join() !== shape.join()) throw damaged(checkpoint, `${part}/${name}`);
      const values = await store.read(name);
      if (checksums !== undefined && checksums[`${part}/${name}`] !== checksumOf(values))
        throw damaged(checkpoint, `${part}/${name}`);
      take(name, values, shape);
    }
  } finally {
    await store.close();
  }
}

const damaged = (checkpoint: string, what: string, cause?: unknown): UserError =>
  new UserError(`${checkpoint} is damaged: ${what} is not what was written there`, {
    remedy: "remove that folder to train from the start",
    cause,
  });

/** What is missing or unreadable in a checkpoint was there when it was written. */
const asDamage =
  (checkpoint: string, what: string) =>
  (error: unknown): never => {
    throw error instanceof UserError ? damaged(checkpoint, what, error) : error;
  };

/** Those that are whole, the newest last. A folder gets its name when all of it is written. */
async function checkpoints(folder: string): Promise<{ readonly step: number; readonly path: string }[]> {
  if (!existsSync(folder)) return [];
  return (await readdir(folder))
    .flatMap((name) => {
      const step = NAME.exec(name)?.[1];
      return step === undefined ? [] : [{ step: Number(step), path: join(folder, name) }];
    })
    .sort((a, b) => a.step - b.step);
}
