/** Sizes of a model that exists nowhere: grouped queries, a full layer and one with a window, everything small enough to count by hand. */
import type { ModelDims } from "../src/models/model.js";

export const smallDims: ModelDims = {
  vocabSize: 11,
  hiddenSize: 8,
  heads: 4,
  kvHeads: 2,
  headDim: 3,
  maxPositions: 500,
  windows: [undefined, 4],
};
