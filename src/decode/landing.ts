/**
 * The memory in which a run's new keys and values land before the cache takes them in. One run's serves the next: made anew,
 * megabytes would be cleared and mapped for every chunk.
 * May not know: programs, requests.
 */
import type { ModelDims } from "../models/model.js";
import type { Device, Tensor, Tensors } from "../runtime/device.js";
import { present } from "../util/errors.js";
import { entryNames } from "./cache.js";

export interface Landing {
  /**
   * Lends f32 [rows, KV, time, hd] by the cache's names, of any content, until `work` is over; two uses at the same time get memory
   * each. After a failure the memory is let go, since a program might still write there.
   */
  use(rows: number, time: number, work: (fresh: Tensors) => Promise<void>): Promise<void>;
}

/** Memory so many times larger than what is asked for is let go, so that decoding does not keep what reading the prompts took. */
const ROOMY = 4;

export function createLanding(device: Device, dims: ModelDims): Landing {
  const { kvHeads, headDim } = dims;
  const names = entryNames(dims);
  const free: (readonly Tensor[])[] = [];
  const fits = (memory: readonly Tensor[], size: number): boolean =>
    memory.every(({ shape: [held = 0] }) => held >= size && held <= ROOMY * size);
  return {
    async use(rows, time, work) {
      const size = rows * kvHeads * time * headDim;
      const known = free.pop();
      const memory = known !== undefined && fits(known, size) ? known : names.map(() => device.zeros([size]));
      const shape = [rows, kvHeads, time, headDim];
      await work(Object.fromEntries(names.map((name, i) => [name, device.view(present(memory[i], name), 0, shape)])));
      free.push(memory);
    },
  };
}
