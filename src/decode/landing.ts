/**
 * The memory in which a run's new keys and values land before the cache takes them in. One run's serves the next: made again,
 * megabytes would be cleared and mapped for every chunk.
 * May not know: programs, requests.
 */
import type { ModelDims } from "../models/model.js";
import type { Device, Tensor, Tensors } from "../runtime/device.js";
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
  const free: Tensor[] = [];
  const fits = ({ shape: [held = 0] }: Tensor, wanted: number): boolean => held >= wanted && held <= ROOMY * wanted;
  return {
    async use(rows, time, work) {
      const shape = [rows, kvHeads, time, headDim];
      const size = rows * kvHeads * time * headDim;
      const wanted = names.length * size;
      const known = free.pop();
      const memory = known !== undefined && fits(known, wanted) ? known : device.zeros([wanted]);
      await work(Object.fromEntries(names.map((name, i) => [name, device.view(memory, i * size, shape)])));
      free.push(memory);
    },
  };
}
