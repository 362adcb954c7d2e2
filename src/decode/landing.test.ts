/** Whether memory is used again, and never twice at a time. */
import { describe, expect, it } from "vitest";
import { smallDims as dims } from "../../test/small-dims.js";
import { createCpuDevice } from "../runtime/cpu.js";
import type { Tensors } from "../runtime/device.js";
import { createLanding } from "./landing.js";

const device = createCpuDevice(1);

/** The first value that lies in what is lent, before it is overwritten by `value`. */
async function exchange(fresh: Tensors, value: number): Promise<number | undefined> {
  const [found] = await device.floats(fresh["k.0"]!);
  device.fill(fresh["k.0"]!, value);
  return found;
}

describe("the memory that new keys and values land in", () => {
  it("has the cache's names and the shape that is asked for", async () => {
    const { use } = createLanding(device, dims);
    await use(5, 7, async (fresh) => {
      expect(Object.keys(fresh)).toEqual(["k.0", "v.0", "k.1", "v.1"]);
      expect(Object.values(fresh).map(({ shape }) => shape)).toEqual(new Array(4).fill([5, 2, 7, 3]));
    });
  });

  it("serves the next run, unless that needs more or far less", async () => {
    const { use } = createLanding(device, dims);
    const found: (number | undefined)[] = [];
    for (const [value, rows, time] of [
      [1, 4, 10], // made
      [2, 2, 10], // lies in the first
      [3, 1, 41], // larger: made
      [4, 1, 10], // less than a quarter of that: made
    ] as const)
      await use(rows, time, async (fresh) => {
        found.push(await exchange(fresh, value));
      });
    expect(found).toEqual([0, 1, 0, 0]);
  });

  it("is let go after a failure", async () => {
    const { use } = createLanding(device, dims);
    const failing = use(1, 1, async (fresh) => {
      await exchange(fresh, 1);
      throw new Error("stopped");
    });
    await expect(failing).rejects.toThrow("stopped");
    await use(1, 1, async (fresh) => expect(await exchange(fresh, 2)).toBe(0));
  });

  it("is lent to one at a time", async () => {
    const { use } = createLanding(device, dims);
    await use(1, 1, async (outer) => {
      await exchange(outer, 1);
      await use(1, 1, async (inner) => expect(await exchange(inner, 2)).toBe(0));
      expect(await exchange(outer, 3)).toBe(1);
    });
  });
});
