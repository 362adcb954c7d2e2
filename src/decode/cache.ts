/**
 * Keys and values of what each row has read so far, in blocks of `BLOCK` positions. Blocks are the outermost axis, so that the rows
 * grow by appending blocks and what a step is fed is a view.
 * May not know: how attention uses them, sampling.
 */
import type { ModelDims } from "../models/model.js";
import type { Device, Region, Tensor, Tensors } from "../runtime/device.js";
import { invariant, present } from "../util/errors.js";
import { BLOCK, keyName, valueName } from "./attention.js";

export interface Cache {
  readonly rows: number;
  /** Positions that each row holds; set a row's to 0 to give it away. What lies beyond is never looked at. */
  readonly lengths: number[];
  /** Blocks that the longest row needs, at least 1. */
  blocks(): number;
  /** `k.i` and `v.i` of each layer as [blocks, rows, KV, 1, BLOCK, hd]. */
  feeds(): Tensors;
  /** Takes in the first `counts[row]` of each row's `time` new tokens: `fresh` holds [rows, KV, time, hd] by name. */
  append(fresh: Tensors, time: number, counts: readonly number[]): void;
  /** Makes `row` a copy of a row of another cache. */
  take(row: number, from: Cache, fromRow: number): void;
  /** The whole tensors, for `take`. */
  tensor(name: string): Tensor;
}

/** Of the tensors that a cache holds, layer by layer. */
export const entryNames = ({ windows }: ModelDims): string[] =>
  windows.flatMap((_, layer) => [keyName(layer), valueName(layer)]);

/** Bytes of one position of one row. */
export const bytesPerPosition = (dims: ModelDims): number =>
  dims.windows.length * 2 * dims.kvHeads * dims.headDim * Float32Array.BYTES_PER_ELEMENT;

export function createCache(device: Device, dims: ModelDims, rows: number): Cache {
  const { kvHeads, headDim } = dims;
  const names = entryNames(dims);
  const blockSize = kvHeads * BLOCK * headDim; // of one row
  const shape = (blocks: number): number[] => [blocks, rows, kvHeads, 1, BLOCK, headDim];
  const lengths = new Array<number>(rows).fill(0);
  let capacity = 1;
  const tensors = new Map(names.map((name) => [name, device.zeros(shape(capacity))]));
  const tensor = (name: string): Tensor => present(tensors.get(name), name);
  const blocksFor = (positions: number): number => Math.max(1, Math.ceil(positions / BLOCK));

  const reserve = (blocks: number): void => {
    if (blocks <= capacity) return;
    const grown = Math.max(blocks, Math.ceil(capacity * 1.5));
    const held = [{ from: 0, to: 0, length: capacity * rows * blockSize }];
    for (const name of names) {
      const larger = device.zeros(shape(grown));
      device.copy(larger, tensor(name), held);
      tensors.set(name, larger);
    }
    capacity = grown;
  };

  const blocks = (): number => blocksFor(Math.max(...lengths));
  return {
    rows,
    lengths,
    blocks,
    tensor,
    feeds() {
      const count = blocks();
      return Object.fromEntries(names.map((name) => [name, device.view(tensor(name), 0, shape(count))]));
    },
    append(fresh, time, counts) {
      invariant(counts.length === rows, `${counts.length} counts for ${rows} rows`);
      reserve(blocksFor(lengths.reduce((most, length, row) => Math.max(most, length + (counts[row] ?? 0)), 0)));
      const regions = appendRegions({ rows, kvHeads, headDim, lengths, time, counts });
      for (const name of names) device.copy(tensor(name), present(fresh[name], name), regions);
      counts.forEach((count, row) => {
        lengths[row] = (lengths[row] ?? 0) + count;
      });
    },
    take(row, from, fromRow) {
      const length = present(from.lengths[fromRow], "row");
      const count = blocksFor(length);
      reserve(count);
      const regions = Array.from({ length: count }, (_, block) => ({
        from: (block * from.rows + fromRow) * blockSize,
        to: (block * rows + row) * blockSize,
        length: blockSize,
      }));
      for (const name of names) device.copy(tensor(name), from.tensor(name), regions);
      lengths[row] = length;
    },
  };
}

/** From [rows, KV, time, hd] to the places behind what each row holds; the same for every layer. */
function appendRegions(layout: {
  rows: number;
  kvHeads: number;
  headDim: number;
  lengths: readonly number[];
  time: number;
  counts: readonly number[];
}): Region[] {
  const { rows, kvHeads, headDim, lengths, time, counts } = layout;
  const regions: Region[] = [];
  for (let row = 0; row < rows; row++) {
    const start = lengths[row] ?? 0;
    const end = start + (counts[row] ?? 0);
    for (let at = start; at < end; ) {
      const block = Math.floor(at / BLOCK);
      const stop = Math.min(end, (block + 1) * BLOCK);
      for (let head = 0; head < kvHeads; head++) {
        regions.push({
          from: ((row * kvHeads + head) * time + (at - start)) * headDim,
          to: (((block * rows + row) * kvHeads + head) * BLOCK + (at % BLOCK)) * headDim,
          length: (stop - at) * headDim,
        });
      }
      at = stop;
    }
  }
  return regions;
}
