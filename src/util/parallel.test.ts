/** Several at a time: how many, in which order, and what happens after an error. */
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { inParallel } from "./parallel.js";

it("does so many at a time, begins in order, and gives each result as it comes", async () => {
  let [now, most] = [0, 0];
  const begun: number[] = [];
  const given: number[] = [];
  for await (const result of inParallel([30, 1, 10, 2], 2, async (ms) => {
    begun.push(ms);
    most = Math.max(most, ++now);
    await setTimeout(ms);
    now--;
    return ms;
  }))
    given.push(result);
  expect([most, begun, given.length]).toEqual([2, [30, 1, 10, 2], 4]);
  expect(given[0]).toBe(1);
  expect([...given].sort((a, b) => a - b)).toEqual([1, 2, 10, 30]);
});

it("begins nothing after an error, waits for what is under way, and throws it", async () => {
  const ended: number[] = [];
  const work = async (i: number): Promise<number> => {
    await setTimeout(i === 1 ? 1 : 10);
    ended.push(i);
    if (i === 1) throw new Error("one");
    return i;
  };
  const all = (async () => {
    for await (const _ of inParallel([0, 1, 2, 3, 4], 2, work));
  })();
  await expect(all).rejects.toThrow("one");
  expect(ended).toEqual([1, 0]);
});

it("begins nothing after its caller has left", async () => {
  let begun = 0;
  const work = async (): Promise<number> => ++begun;
  for await (const _ of inParallel(Array.from({ length: 100 }), 1, work)) break;
  expect(begun).toBeLessThan(100);
  for await (const _ of inParallel([], 3, work)) throw new Error("nothing comes of nothing");
});
