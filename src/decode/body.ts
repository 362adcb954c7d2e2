/**
 * One compiled program for everything below the vocabulary: new tokens and the cache in, hidden states and the cache's new entries out.
 * The head is a program of its own (`head.ts`): reading a prompt needs none, and each use of the logits brings its own.
 * May not know: vocabularies' texts, sampling, training.
 */
import { createGraph, input, reshape } from "../graph/build.js";
import { checkGraph } from "../graph/check.js";
import { liveFor } from "../graph/live.js";
import type { Value } from "../graph/ops.js";
import type { Model } from "../models/model.js";
import { ropeFeeds } from "../models/rope.js";
import type { Device, Program, Tensor, Tensors } from "../runtime/device.js";
import { invariant, present } from "../util/errors.js";
import { BLOCK, cachedAttention } from "./attention.js";
import type { Cache } from "./cache.js";

/** New tokens a row while a prompt is read. Always this many, padded: a prompt's arithmetic must not depend on its neighbours'. */
export const CHUNK = 32;

/** Reads parameters by their published names; called when a program is made, so that nobody need hold them afterwards. */
export type ReadParameters = (names: readonly string[]) => Promise<ReadonlyMap<string, Tensor>>;

export interface Body extends AsyncDisposable {
  readonly model: Model;
  readonly device: Device;
  /** The name of the parameter that is the head. */
  readonly headName: string;
  /**
   * Reads `time` tokens a row, of which the first `counts[row]` count, and puts them into the cache.
   *
   * @param ids [rows, time], row-major; anything where nothing counts
   * @returns   hidden states f32 [rows*time, D]
   */
  run(cache: Cache, ids: readonly number[], time: number, counts: readonly number[]): Promise<Tensor>;
}

export async function compileBody(model: Model, device: Device, read: ReadParameters): Promise<Body> {
  const { graph, outputs, forward } = bodyGraph(model);
  checkGraph(graph);
  const live = liveFor(graph, [...outputs.values()]);
  const parameters = [...forward.parameters].filter(([, value]) => live.values.has(value)).map(([name]) => name);
  const program = await device.compile(graph, outputs, { baked: Object.fromEntries(await read(parameters)) });
  const head = [...forward.parameters].find(([, value]) => value === forward.head);
  invariant(head !== undefined, "the head is no parameter");
  const fixed = fixedFeeds(model, device);
  return {
    model,
    device,
    headName: head[0],
    run: (cache, ids, time, counts) => runBody({ program, device, model, fixed }, cache, ids, time, counts),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

function bodyGraph(model: Model) {
  const graph = createGraph();
  const ids = reshape(input(graph, "ids", "i64", ["B", "T"]), ["B*T"]);
  const positions = input(graph, "positions", "i64", ["B", "T"]);
  const { attend, fresh } = cachedAttention(graph, positions);
  const forward = model.forward(graph, { ids, batch: "B", time: "T", positions, attend });
  const outputs = new Map<string, Value>([["hidden", forward.hidden]]);
  for (const [name, value] of fresh) outputs.set(freshName(name), value);
  return { graph, outputs, forward };
}

const freshName = (name: string): string => `new.${name}`;

interface Running {
  readonly program: Program;
  readonly device: Device;
  readonly model: Model;
  readonly fixed: (blocks: number, time: number, positions: number) => Tensors;
}

async function runBody(
  { program, device, model, fixed }: Running,
  cache: Cache,
  ids: readonly number[],
  time: number,
  counts: readonly number[],
): Promise<Tensor> {
  const { rows, lengths } = cache;
  invariant(ids.length === rows * time, `${ids.length} ids for ${rows} rows of ${time}`);
  invariant(rows * time > 1, "one token alone takes another kernel"); // and with it other bits
  const { maxPositions } = model.dims;
  const positions = ids.map((_, i) => {
    const [row, step] = [Math.floor(i / time), i % time];
    const position = present(lengths[row], "row") + step;
    invariant(step >= (counts[row] ?? 0) || position < maxPositions, `position ${position} of ${maxPositions}`);
    return Math.min(position, maxPositions - 1); // of padding only
  });
  const results = await program.run({
    ...fixed(cache.blocks(), time, Math.max(...positions) + 1),
    ...cache.feeds(),
    ids: device.fromInts(ids, [rows, time]),
    positions: device.fromInts(positions, [rows, time]),
    lengths: device.fromFloats(Float32Array.from(lengths), [rows]),
  });
  const fresh = Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [name.replace(/^new\./, ""), tensor]),
  );
  cache.append(fresh, time, counts);
  return present(results.hidden, "hidden");
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
