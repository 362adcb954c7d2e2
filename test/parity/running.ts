/** What the parity tests share: a tiny model opened on the CPU, and all its logits for one row without a cache. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createGraph, input, linear, reshape } from "../../src/graph/build.js";
import type { Value } from "../../src/graph/ops.js";
import { causalAttention, causalMask } from "../../src/models/layers.js";
import type { Model } from "../../src/models/model.js";
import { modelFromConfig, openModel, readParameters } from "../../src/models/open.js";
import { ropeFeeds } from "../../src/models/rope.js";
import { createCpuDevice } from "../../src/runtime/cpu.js";
import type { Device, Program, Tensor } from "../../src/runtime/device.js";

export interface Running {
  readonly model: Model;
  readonly device: Device;
  readonly parameters: Map<string, Tensor>;
}

/** @param changes  fields of config.json to read differently, to see whether a test would notice */
export async function runModel(directory: string, changes: Readonly<Record<string, unknown>> = {}): Promise<Running> {
  const device = createCpuDevice(1);
  const opened = await openModel(directory);
  const path = join(directory, "config.json");
  const config = { ...(JSON.parse(readFileSync(path, "utf8")) as object), ...changes };
  try {
    const model = modelFromConfig(config, path);
    const stored = await readParameters(opened, device);
    const named = model.parameters.flatMap(({ name }) =>
      stored.has(name) ? [[name, stored.get(name)!] as const] : [],
    );
    return { model, device, parameters: new Map(named) };
  } finally {
    await opened.weights.close();
  }
}

/** A program from ids [1, T] to logits [T, V]. */
export async function compileLogits({ model, device }: Running): Promise<Program> {
  const graph = createGraph();
  const masks = new Map<number | undefined, Value>();
  for (const window of new Set(model.dims.windows))
    masks.set(window, input(graph, `mask.${window}`, "f32", ["T", "T"]));
  const forward = model.forward(graph, {
    ids: reshape(input(graph, "ids", "i64", [1, "T"]), ["T"]),
    batch: 1,
    time: "T",
    positions: input(graph, "positions", "i64", [1, "T"]),
    attend: causalAttention((window) => masks.get(window)!),
  });
  return device.compile(graph, new Map([["logits", linear(forward.hidden, forward.head)]]));
}

/** Row-major [T, V]. */
export async function logitsOf(running: Running, program: Program, ids: readonly number[]): Promise<Float32Array> {
  const { model, device, parameters } = running;
  const time = ids.length;
  const masks = [...new Set(model.dims.windows)].map(
    (window) => [`mask.${window}`, device.fromFloats(causalMask(time, window), [time, time])] as const,
  );
  const { logits } = await program.run({
    ...Object.fromEntries(parameters),
    ...Object.fromEntries(masks),
    ...ropeFeeds(model, device, time),
    ids: device.fromInts(ids, [1, time]),
    positions: device.fromInts([...ids.keys()], [1, time]),
  });
  return device.floats(logits!);
}

/** log softmax of one row in float64. */
export function logSoftmax(row: Float32Array): Float64Array {
  const top = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const logTotal = Math.log(row.reduce((total, logit) => total + Math.exp(logit - top), 0));
  return Float64Array.from(row, (logit) => logit - top - logTotal);
}
