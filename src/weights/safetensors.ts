/**
 * Safetensors files as named tensors: one file, or shards with their index. F32, F16 and BF16 are supported, as float32.
 * May not know: model families.
 */
import { join } from "node:path";
import { UserError } from "../util/errors.js";
import { bf16ToF32, f16ToF32 } from "../util/float16.js";
import { readJson } from "../util/json.js";
import { WEIGHTS_INDEX } from "../util/model-files.js";
import { refusePointer } from "../util/model-kinds.js";
import { excerpt } from "../util/terminal.js";
import { type ByteSource, elementCount, openWith, readBytes } from "./byte-source.js";
import { MAX_HEADER, parseSafetensorsHeader, type SafetensorsInfo } from "./safetensors-header.js";
import type { PiecewiseStore, WeightInfo, WeightStore } from "./weight-store.js";

/** Bytes widened at a time. */
const SLICE = 4 * 2 ** 20;

/** Opens and checks one file. */
export const openSafetensors = (path: string): Promise<PiecewiseStore> => openWith(path, readSafetensors);

/** @throws UserError  see `parseSafetensorsHeader` */
export async function readSafetensors(source: ByteSource): Promise<PiecewiseStore> {
  if (source.size < 8) throw new UserError(`${source.name} is not a safetensors file: it has ${source.size} bytes`);
  const prefix = await readBytes(source, 0, 8);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  refusePointer(source.name, await readBytes(source, 0, Math.min(source.size, 64)));
  if (length > BigInt(Math.min(MAX_HEADER, source.size - 8))) {
    throw new UserError(`${source.name} is damaged: it claims a header of ${length} bytes and has ${source.size - 8}`, {
      remedy: "fetch the file again",
    });
  }
  const dataBegin = 8 + Number(length);
  const header = await readBytes(source, 8, Number(length));
  const infos = new Map<string, SafetensorsInfo>();
  for (const info of parseSafetensorsHeader(header, source.size - dataBegin, source.name)) infos.set(info.name, info);
  return {
    name: source.name,
    tensors: infos,
    async read(name) {
      const info = infos.get(name);
      if (info === undefined) throw new UserError(`${source.name} has no tensor "${excerpt(name)}"`);
      return readTensor(source, info, dataBegin + info.begin);
    },
    pieces(name) {
      const info = infos.get(name);
      if (info === undefined) throw new UserError(`${source.name} has no tensor "${excerpt(name)}"`);
      return tensorPieces(source, info, dataBegin + info.begin);
    },
    close: () => source.close(),
  };
}

async function readTensor(source: ByteSource, info: SafetensorsInfo, offset: number): Promise<Float32Array> {
  const out = new Float32Array(elementCount(info.shape, info.name));
  if (info.dtype === "F32") {
    await source.fill(new Uint8Array(out.buffer), offset); // in place: nothing exists twice
    return out;
  }
  let first = 0;
  for await (const piece of tensorPieces(source, info, offset)) {
    out.set(piece, first);
    first += piece.length;
  }
  return out;
}

async function* tensorPieces(source: ByteSource, info: SafetensorsInfo, offset: number): AsyncGenerator<Float32Array> {
  const count = elementCount(info.shape, info.name);
  const { dtype } = info;
  if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") {
    throw new UserError(
      `${source.name}: tensor "${excerpt(info.name)}" has dtype ${dtype}; F32, F16 and BF16 are supported`,
    );
  }
  const width = dtype === "F32" ? 4 : 2;
  const stored = new Uint8Array(Math.min(width * count, SLICE));
  const values = dtype === "F32" ? new Float32Array(stored.buffer) : new Float32Array(stored.length / width);
  for (let first = 0; first < count; first += values.length) {
    const here = Math.min(values.length, count - first);
    await source.fill(stored.subarray(0, width * here), offset + width * first);
    const piece = values.subarray(0, here);
    if (dtype !== "F32") (dtype === "F16" ? f16ToF32 : bf16ToF32)(new Uint16Array(stored.buffer, 0, here), piece);
    yield piece;
  }
}

/**
 * Opens the shards that an index names. All shards are opened and checked; an index that names a tensor its shard does
 * not hold, and a shard that holds one the index leaves out, are refused.
 */
export async function openShards(directory: string): Promise<PiecewiseStore> {
  const indexPath = join(directory, WEIGHTS_INDEX);
  const placed = readIndex(await readJson(indexPath), indexPath);
  const shards = new Map<string, PiecewiseStore>();
  const close = async (): Promise<void> => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const file of new Set(placed.values())) shards.set(file, await openSafetensors(join(directory, file)));
    const shardOf = (name: string): PiecewiseStore => shardHolding(name, placed, shards);
    return {
      name: directory,
      tensors: joinTensors(placed, shards, indexPath),
      read: async (name) => shardOf(name).read(name),
      pieces: (name) => shardOf(name).pieces(name),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Tensor to shard file. A shard lies beside the index: a name with a path in it is refused. */
function readIndex(index: unknown, path: string): ReadonlyMap<string, string> {
  const map = typeof index === "object" && index !== null ? (index as { weight_map?: unknown }).weight_map : undefined;
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    throw new UserError(`${path} has no weight_map`, { remedy: "fetch the index again" });
  }
  const placed = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$/u.test(file)) {
      throw new UserError(
        `${path}: tensor "${excerpt(name)}" lies in ${excerpt(JSON.stringify(file))}, which is not the file name of a shard`,
        {
          remedy: "do not trust this model",
        },
      );
    }
    placed.set(name, file);
  }
  if (placed.size === 0) throw new UserError(`${path} names no tensor`, { remedy: "fetch the index again" });
  return placed;
}

function joinTensors(
  placed: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, WeightStore>,
  path: string,
): ReadonlyMap<string, WeightInfo> {
  const tensors = new Map<string, WeightInfo>();
  for (const [name, file] of placed) {
    const info = shards.get(file)?.tensors.get(name);
    if (info === undefined)
      throw new UserError(`${path} places tensor "${excerpt(name)}" in ${file}, which does not hold it`);
    tensors.set(name, info);
  }
  for (const [file, shard] of shards) {
    for (const name of shard.tensors.keys()) {
      if (placed.get(name) !== file)
        throw new UserError(`${path} does not place tensor "${excerpt(name)}" in ${file}, which holds it`);
    }
  }
  return tensors;
}

function shardHolding(
  name: string,
  placed: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, PiecewiseStore>,
): PiecewiseStore {
  const shard = shards.get(placed.get(name) ?? "");
  if (shard === undefined) throw new UserError(`the model has no tensor "${excerpt(name)}"`);
  return shard;
}
