/**
 * Everything that a training run is made of between two steps, and how it lies on disk while the run is not finished.
 * A checkpoint is a folder that appears whole; the newest one counts. Values are stored as they are (float32), so that going on
 * from it gives the same bits as never having stopped.
 */
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Model } from "../models/model.js";
import type { Device, Tensor } from "../runtime/device.js";
import { present, UserError } from "../util/errors.js";
import { writeFileAtomic } from "../util/files.js";
import { openWeights } from "../weights/open.js";
import { writeModelWeights } from "../weights/safetensors-write.js";
import type { Moments } from "./adam.js";

export interface TrainState {
  /** Steps done. */
  step: number;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly moments: ReadonlyMap<string, Moments>;
}

const VERSION = 1;
const schema = z.object({ version: z.literal(VERSION), step: z.number().int().nonnegative(), fingerprint: z.string() });
const NAME = /^checkpoint-(\d+)$/;
const STATE = "state.json";

export function freshState(model: Model, device: Device, parameters: ReadonlyMap<string, Tensor>): TrainState {
  const moments = model.parameters.map(
    ({ name, shape }) => [name, { first: device.zeros(shape), second: device.zeros(shape) }] as const,
  );
  return { step: 0, parameters, moments: new Map(moments) };
}

/**
 * Writes `folder/checkpoint-N` and removes older ones.
 * @param fingerprint hash of all that determines the run; going on under another one is refused
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
  const write = (part: string, tensors: Iterable<readonly [string, Tensor]>): Promise<unknown> =>
    writeModelWeights(
      join(partial, part),
      [...tensors].map(([name, tensor]) => ({ name, shape: tensor.shape, values: () => device.floats(tensor) })),
      { dtype: "F32" },
    );
  await write("parameters", state.parameters);
  const moment = (key: keyof Moments) => [...state.moments].map(([name, both]) => [name, both[key]] as const);
  await write("first", moment("first"));
  await write("second", moment("second"));
  await writeFileAtomic(join(partial, STATE), JSON.stringify({ version: VERSION, step: state.step, fingerprint }));
  await rm(final, { recursive: true, force: true });
  await rename(partial, final);
  for (const older of await checkpoints(folder)) {
    if (older.step < state.step) await rm(older.path, { recursive: true, force: true });
  }
}

/** The newest checkpoint in `folder`, or undefined where there is none. */
export async function loadCheckpoint(
  folder: string,
  model: Model,
  device: Device,
  fingerprint: string,
): Promise<TrainState | undefined> {
  const newest = (await checkpoints(folder)).at(-1);
  if (newest === undefined) return undefined;
  const record = schema.parse(JSON.parse(await readFile(join(newest.path, STATE), "utf8")));
  if (record.fingerprint !== fingerprint) {
    throw new UserError(`${newest.path} belongs to a run with other options, data or threads`, {
      remedy: "repeat the options of that run, or pass --force to begin anew",
    });
  }
  const read = async (part: string): Promise<Map<string, Tensor>> => {
    const store = await openWeights(join(newest.path, part));
    try {
      const tensors = new Map<string, Tensor>();
      for (const { name, shape } of model.parameters)
        tensors.set(name, device.fromFloats(await store.read(name), shape));
      return tensors;
    } finally {
      await store.close();
    }
  };
  const [parameters, first, second] = [await read("parameters"), await read("first"), await read("second")];
  const moments = model.parameters.map(
    ({ name }) => [name, { first: present(first.get(name), name), second: present(second.get(name), name) }] as const,
  );
  return { step: record.step, parameters, moments: new Map(moments) };
}

async function checkpoints(folder: string): Promise<{ readonly step: number; readonly path: string }[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names
    .flatMap((name) => {
      const step = NAME.exec(name)?.[1];
      return step === undefined ? [] : [{ step: Number(step), path: join(folder, name) }];
    })
    .sort((a, b) => a.step - b.step);
}
