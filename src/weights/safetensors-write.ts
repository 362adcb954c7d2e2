/**
 * Writes named tensors as safetensors, one at a time, as one file or as shards with their index, the way Transformers
 * lays them out. 16-bit formats round to nearest even.
 * May not know: model families.
 */
import { join } from "node:path";
import { invariant } from "../util/errors.js";
import { openAtomic, writeFileAtomic } from "../util/files.js";
import { f32ToBf16, f32ToF16 } from "../util/float16.js";
import { WEIGHTS, WEIGHTS_INDEX } from "../util/model-files.js";
import { elementCount } from "./byte-source.js";
import type { WeightDtype, WeightToWrite } from "./weight-store.js";

/** Whether `writeModelWeights` writes a file of this name. */
export const isWeightsFile = (name: string): boolean =>
  /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/.test(name);

const DTYPE_BYTES: Readonly<Record<WeightDtype, number>> = { F32: 4, F16: 2, BF16: 2 };
/** Values converted at a time. */
const SLICE = 2 ** 20;

export interface WriteOptions {
  /** For tensors that name none of their own. */
  readonly dtype: WeightDtype;
  /** Bytes of weights in one file; beyond it the model is split. Transformers' long-standing 5 GB. */
  readonly maxShardBytes?: number;
}

/** What was written. */
export interface WrittenWeights {
  readonly files: readonly string[];
  /** Bytes of all tensors. */
  readonly bytes: number;
  /** Values of all tensors. */
  readonly parameters: number;
}

interface Planned {
  readonly tensor: WeightToWrite;
  readonly dtype: WeightDtype;
  readonly count: number;
  readonly bytes: number;
}

/**
 * Writes `model.safetensors`, or shards and `model.safetensors.index.json`, into `directory`. Each file appears whole or
 * not at all; for a directory that appears whole, see `writeDirectory`.
 */
export async function writeModelWeights(
  directory: string,
  tensors: readonly WeightToWrite[],
  options: WriteOptions,
): Promise<WrittenWeights> {
  const plan = tensors.map((tensor) => planTensor(tensor, options.dtype));
  invariant(new Set(plan.map((item) => item.tensor.name)).size === plan.length, "a tensor is written twice");
  const shards = splitShards(plan, options.maxShardBytes ?? 5_000_000_000);
  const total = plan.reduce((sum, item) => sum + item.bytes, 0);
  const files = shards.map((_, i) => shardName(i, shards.length));
  for (const [i, shard] of shards.entries()) await writeFile(join(directory, files[i] ?? WEIGHTS), shard);
  if (shards.length > 1) {
    const weightMap: [string, string][] = shards.flatMap((shard, i) =>
      shard.map((item): [string, string] => [item.tensor.name, files[i] ?? ""]),
    );
    const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(weightMap) };
    await writeFileAtomic(join(directory, WEIGHTS_INDEX), `${JSON.stringify(index, null, 2)}\n`);
    files.push(WEIGHTS_INDEX);
  }
  return { files, bytes: total, parameters: plan.reduce((sum, item) => sum + item.count, 0) };
}

function planTensor(tensor: WeightToWrite, otherwise: WeightDtype): Planned {
  const dtype = tensor.dtype ?? otherwise;
  const count = elementCount(tensor.shape, tensor.name);
  return { tensor, dtype, count, bytes: count * DTYPE_BYTES[dtype] };
}

/** In the given order, a new shard where the next tensor would not fit; a tensor is never split. */
function splitShards(plan: readonly Planned[], limit: number): readonly (readonly Planned[])[] {
  const shards: Planned[][] = [[]];
  let bytes = 0;
  for (const item of plan) {
    if (bytes > 0 && bytes + item.bytes > limit) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)?.push(item);
    bytes += item.bytes;
  }
  return shards;
}

function shardName(index: number, count: number): string {
  if (count === 1) return WEIGHTS;
  const five = (n: number): string => String(n).padStart(5, "0");
  return `model-${five(index + 1)}-of-${five(count)}.safetensors`;
}

async function writeFile(path: string, shard: readonly Planned[]): Promise<void> {
  const writer = await openAtomic(path);
  try {
    await writer.write(encodeHeader(shard));
    for (const item of shard) await writeTensor(item, (bytes) => writer.write(bytes));
    await writer.commit();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** Length, then JSON padded with spaces so that the data begins at a multiple of eight. */
function encodeHeader(shard: readonly Planned[]): Uint8Array {
  let at = 0;
  const entries: [string, unknown][] = [["__metadata__", { format: "pt" }]]; // Transformers asks for this format
  for (const { tensor, dtype, bytes } of shard) {
    entries.push([tensor.name, { dtype, shape: tensor.shape, data_offsets: [at, at + bytes] }]);
    at += bytes;
  }
  // Joined by hand: `Object.fromEntries` would lose a tensor called `__proto__` and reorder one called `1`.
  const members = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const padded = Math.ceil(json.byteLength / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return header;
}

async function writeTensor(item: Planned, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const values = await item.tensor.values();
  invariant(values.length === item.count, `${item.tensor.name}: ${values.length} values for [${item.tensor.shape}]`);
  if (item.dtype === "F32") {
    await write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  const narrow = item.dtype === "F16" ? f32ToF16 : f32ToBf16;
  const slice = new Uint16Array(Math.min(SLICE, values.length));
  for (let first = 0; first < values.length; first += slice.length) {
    const here = values.subarray(first, first + slice.length);
    narrow(here, slice);
    await write(new Uint8Array(slice.buffer, 0, 2 * here.length));
  }
}
