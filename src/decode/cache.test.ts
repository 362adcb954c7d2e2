/** The cache against a plain array of positions. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smallDims as dims } from "../../test/small-dims.js";
import { createCpuDevice } from "../runtime/cpu.js";
import type { Tensors } from "../runtime/device.js";
import { BLOCK } from "./attention.js";
import { bytesPerPosition, type Cache, createCache } from "./cache.js";
import { defaultBatch } from "./memory.js";

const device = createCpuDevice(1);
const names = ["k.0", "v.0", "k.1", "v.1"];

/** The number that stands for one element: made from its name, row, position, head and place. */
const mark = (name: number, row: number, position: number, head: number, i: number): number =>
  name + 10 * i + 100 * head + 1000 * row + 100_000 * position;

/** New entries [rows, KV, time, hd] for the positions that follow what each row holds. */
function fresh(cache: Cache, owners: readonly number[], time: number): Tensors {
  return Object.fromEntries(
    names.map((name, n) => {
      const values: number[] = [];
      for (let row = 0; row < cache.rows; row++)
        for (let head = 0; head < dims.kvHeads; head++)
          for (let t = 0; t < time; t++)
            for (let i = 0; i < dims.headDim; i++) values.push(mark(n, owners[row]!, cache.lengths[row]! + t, head, i));
      return [name, device.fromFloats(Float32Array.from(values), [cache.rows, dims.kvHeads, time, dims.headDim])];
    }),
  );
}

/** Every row holds exactly the positions of its owner. */
async function expectHolds(cache: Cache, owners: readonly number[]): Promise<void> {
  const feeds = cache.feeds();
  for (const [n, name] of names.entries()) {
    const [blocks, rows, kvHeads, one, block, headDim] = feeds[name]!.shape as [number, ...number[]];
    expect([blocks, rows, kvHeads, one, block, headDim]).toEqual([cache.blocks(), cache.rows, 2, 1, BLOCK, 3]);
    const values = await device.floats(feeds[name]!);
    owners.forEach((owner, row) => {
      for (let p = 0; p < cache.lengths[row]!; p++)
        for (let head = 0; head < 2; head++)
          for (let i = 0; i < 3; i++) {
            const at = (((Math.floor(p / BLOCK) * cache.rows + row) * 2 + head) * BLOCK + (p % BLOCK)) * 3 + i;
            if (values[at] !== Math.fround(mark(n, owner, p, head, i)))
              throw new Error(`${name} row ${row} position ${p} head ${head}: ${values[at]}`);
          }
    });
  }
}

describe("the cache", () => {
  it("holds what was appended, over the borders of blocks and whatever the chunks", async () => {
    const chunk = fc.record({ time: fc.integer({ min: 1, max: 70 }), shares: fc.array(fc.nat(100), { minLength: 3 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 6 }), async (chunks) => {
        const cache = createCache(device, dims, 3);
        const owners = [0, 1, 2];
        for (const { time, shares } of chunks) {
          const counts = owners.map((row) => Math.round((shares[row]! / 100) * time));
          const before = [...cache.lengths];
          cache.append(fresh(cache, owners, time), time, counts);
          expect(cache.lengths).toEqual(before.map((length, row) => length + counts[row]!));
        }
        expect(cache.blocks()).toBe(Math.max(1, Math.ceil(Math.max(...cache.lengths) / BLOCK)));
        await expectHolds(cache, owners);
      }),
      { numRuns: 20 },
    );
  });

  it("copies a row into several of another cache, and both go on by themselves", async () => {
    const prompt = createCache(device, dims, 2);
    prompt.append(fresh(prompt, [7, 8], 65), 65, [65, 20]);
    const responses = createCache(device, dims, 3);
    responses.take(0, prompt, 1);
    responses.take(1, prompt, 0);
    responses.take(2, prompt, 1);
    expect(responses.lengths).toEqual([20, 65, 20]);
    responses.append(fresh(responses, [8, 7, 8], 2), 2, [2, 1, 0]);
    await expectHolds(responses, [8, 7, 8]);
    await expectHolds(prompt, [7, 8]);
  });

  it("needs as many blocks as its longest row, and one when it is empty", () => {
    const cache = createCache(device, dims, 2);
    expect(cache.blocks()).toBe(1);
    cache.append(fresh(cache, [0, 1], 129), 129, [129, 1]);
    expect(cache.blocks()).toBe(3);
    cache.lengths[0] = 0;
    expect(cache.blocks()).toBe(1);
  });
});

describe("the default batch", () => {
  it("counts keys and values of all layers", () => expect(bytesPerPosition(dims)).toBe(2 * 2 * 2 * 3 * 4));
  it("lies between 1 and 64 and grows with memory", () => {
    const batch = (freeBytes: number, promptPositions = 0) =>
      defaultBatch(dims, { freeBytes, weightBytes: 1000, positions: 100, promptPositions });
    expect(batch(0)).toBe(1);
    expect(batch(1e12)).toBe(64);
    // Of 0.6 · free, 1,000 are the weights'; a row takes 96 · (100 · 1.5 + 64) for its cache and 6 · 11 · 4 for the vocabulary.
    expect(batch((1000 + 5.5 * (96 * 214 + 264)) / 0.6)).toBe(5);
    // What is read of prompts lies beside it: 50 · 1.5 positions more.
    expect(batch((1000 + 5.5 * (96 * 289 + 264)) / 0.6, 50)).toBe(5);
    expect(batch((1000 + 4.9 * (96 * 289 + 264)) / 0.6, 50)).toBe(4);
  });
});
