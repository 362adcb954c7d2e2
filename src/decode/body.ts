/**
 * One compiled program for everything below the vocabulary: new tokens and the cache in, hidden states and the cache's new entries out.
 * The head is a program of its own (`head.ts`): reading a prompt needs none, and each use of the logits brings its own.
 * May not know: vocabularies' texts, sampling, training.
 */
import type { Precision } from "../engine/requests.js";
import { createGraph, input } from "../graph/build.js";
import { checkGraph } from "../graph/check.js";
import { liveFor } from "../graph/live.js";
import type { Graph, Value } from "../graph/ops.js";
import { headNameOf, type Model } from "../models/model.js";
import { ropeFeeds } from "../models/rope.js";
import type { Device, Program, Tensor, Tensors } from "../runtime/device.js";
import { invariant, present } from "../util/errors.js";
import { BLOCK, cachedAttention } from "./attention.js";
import type { Cache } from "./cache.js";
import { createLanding, type Landing } from "./landing.js";
import { bakedWeight, type QuantizedGraph, quantize, quantizeLinears, ROW_MULTIPLE } from "./quantize.js";

/** New tokens a row at most while a prompt is read; attention has this many places a row, so that a prompt's arithmetic does not
 *  depend on its neighbours' lengths. Everything else is computed for tokens only. */
export const CHUNK = 64;

/** Reads parameters by their published names; called when a program is made, so that nobody need hold them afterwards. */
export type ReadParameters = (names: readonly string[]) => Promise<ReadonlyMap<string, Tensor>>;

export interface Body extends AsyncDisposable {
  readonly model: Model;
  readonly device: Device;
  /** The name of the parameter that is the head. */
  readonly headName: string;
  /**
   * Reads `rows[i]` into row i of the cache.
   *
   * @param rows  ids, at most `time` a row; a row of none is left as it is
   * @param time  places a row: 1 or `CHUNK`
   * @returns     hidden states f32 [N, D] of all tokens, row by row; N is a multiple of `ROW_MULTIPLE`, what is behind the last
   *              token is of no meaning
   */
  run(cache: Cache, rows: readonly (readonly number[])[], time: number): Promise<Tensor>;
}

export async function compileBody(
  model: Model,
  device: Device,
  read: ReadParameters,
  precision: Precision = "f32",
): Promise<Body> {
  const { graph, outputs, weights, wanted, headName } = planBody(model, precision);
  const baked = { ...Object.fromEntries(await read(wanted)), ...(await readQuantized(device, weights, read)) };
  const program = await device.compile(graph, outputs, { baked, inPlace: true });
  const running = {
    program,
    device,
    model,
    fixed: fixedFeeds(model, device),
    landing: createLanding(device, model.dims),
  };
  return {
    model,
    device,
    headName,
    run: (cache, rows, time) => runBody(running, cache, rows, time),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** The graph of a body, and of which parameters it needs the values (`wanted`) or the 8-bit form (`weights`). */
export function planBody(model: Model, precision: Precision) {
  const plain = bodyGraph(model);
  const { graph, outputs, weights }: QuantizedGraph =
    precision === "q8"
      ? quantizeLinears(plain.graph, plain.outputs, plain.parameters)
      : { graph: plain.graph, outputs: plain.outputs, weights: new Map() };
  checkGraph(graph);
  const live = liveFor(graph, [...outputs.values()]);
  const isLive = (name: string): boolean => {
    const value = graph.inputs.get(name);
    return value !== undefined && live.values.has(value);
  };
  const wanted = [...plain.parameters.keys()].filter(isLive);
  return { graph, outputs, weights, wanted, headName: plain.headName };
}

/** One after another: of each weight the 8-bit form remains. */
async function readQuantized(
  device: Device,
  weights: QuantizedGraph["weights"],
  read: ReadParameters,
): Promise<Record<string, Tensor>> {
  const baked: Record<string, Tensor> = {};
  for (const [name, { shape, transposed }] of weights) {
    const values = await device.floats(present((await read([name])).get(name), name));
    Object.assign(baked, bakedWeight(name, quantize(device, values, shape, transposed)));
  }
  return baked;
}

interface PlainBody {
  readonly graph: Graph;
  readonly outputs: ReadonlyMap<string, Value>;
  readonly parameters: ReadonlyMap<string, Value>;
  readonly headName: string;
}

/** To the model each token is a sequence of its own, of one position; only attention knows rows. */
function bodyGraph(model: Model): PlainBody {
  const graph = createGraph();
  const ids = input(graph, "ids", "i64", ["N"]);
  const positions = input(graph, "positions", "i64", ["N", 1]);
  const { attend, fresh } = cachedAttention(graph);
  const forward = model.forward(graph, { ids, batch: "N", time: 1, positions, attend });
  const outputs = new Map<string, Value>([["hidden", forward.hidden]]);
  for (const [name, value] of fresh) outputs.set(freshName(name), value);
  return { graph, outputs, parameters: forward.parameters, headName: headNameOf(forward) };
}

const freshName = (name: string): string => `new.${name}`;

interface Running {
  readonly program: Program;
  readonly device: Device;
  readonly model: Model;
  readonly fixed: (blocks: number, time: number, positions: number) => Tensors;
  readonly landing: Landing;
}

async function runBody(
  { program, device, model, fixed, landing }: Running,
  cache: Cache,
  rows: readonly (readonly number[])[],
  time: number,
): Promise<Tensor> {
  const { lengths } = cache;
  invariant(rows.length === cache.rows, `${rows.length} rows of ids for ${cache.rows} of the cache`);
  const { ids, positions, places, tokens } = spread(rows, lengths, time);
  const last = Math.max(...positions);
  invariant(last < model.dims.maxPositions, `position ${last} of ${model.dims.maxPositions}`);
  const feeds = {
    ...fixed(cache.blocks(), time, last + 1),
    ...cache.feeds(),
    ids: device.fromInts(ids, [ids.length]),
    positions: device.fromInts(positions, [ids.length, 1]),
    places: device.fromInts(places, [ids.length]),
    tokens: device.fromInts(tokens, [rows.length, time]),
    lengths: device.fromFloats(Float32Array.from(lengths), [rows.length]),
  };
  const hidden = device.zeros([ids.length, model.dims.hiddenSize]);
  const counts = rows.map(({ length }) => length);
  await landing.use(rows.length, time, async (fresh) => {
    const into = Object.entries(fresh).map(([name, tensor]) => [freshName(name), tensor]);
    await program.run(feeds, { ...Object.fromEntries(into), hidden });
    cache.append(fresh, time, counts);
  });
  return hidden;
}

/** Which token stands at which place, and back; filled up to a whole multiple of `ROW_MULTIPLE` tokens. */
function spread(rows: readonly (readonly number[])[], lengths: readonly number[], time: number) {
  const [ids, positions, places]: [number[], number[], number[]] = [[], [], []];
  const tokens = new Array<number>(rows.length * time).fill(0);
  rows.forEach((row, r) => {
    invariant(row.length <= time, `${row.length} ids in a row of ${time}`);
    row.forEach((id, step) => {
      tokens[r * time + step] = ids.length;
      ids.push(id);
      positions.push((lengths[r] ?? 0) + step);
      places.push(r * time + step);
    });
  });
  while (ids.length === 0 || ids.length % ROW_MULTIPLE !== 0) {
    ids.push(0);
    positions.push(0);
    places.push(0);
  }
  return { ids, positions, places, tokens };
}

/** What changes only with sizes: counters, and the rotary tables, which grow by doubling. */
function fixedFeeds(model: Model, device: Device): Running["fixed"] {
  const upTo = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i);
  const slots = new Map<number, Tensor>();
  const steps = new Map<number, Tensor>();
  const once = (known: Map<number, Tensor>, key: number, make: () => Tensor): Tensor => {
    const tensor = known.get(key) ?? make();
    known.set(key, tensor);
    return tensor;
  };
  let ropes: Tensors = {};
  let covered = 0;
  return (blocks, time, positions) => {
    if (positions > covered) {
      covered = Math.min(model.dims.maxPositions, Math.max(512, positions, 2 * covered));
      ropes = ropeFeeds(model, device, covered);
    }
    return {
      ...ropes,
      slots: once(slots, blocks, () => device.fromFloats(upTo(blocks * BLOCK), [blocks, BLOCK])),
      steps: once(steps, time, () => device.fromFloats(upTo(time), [time])),
    };
  };
}
