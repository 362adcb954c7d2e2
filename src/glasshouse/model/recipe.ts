/**
 * The recipe of the base model as data: what is read, by a model of which shape, and how it learns. The defaults make the model that
 * ships with the package.
 * May not know: pages, engines' insides.
 */

import type { Training } from "../../engine/tuning.js";
import { UserError } from "../../util/errors.js";
import { option, words } from "../../util/words.js";
import { SHAPE, type Shape } from "./base-model.js";

export interface Recipe {
  /** Of the world, its pages and the first weights. */
  readonly seed: number;
  /** Tokens to read. */
  readonly tokens: number;
  /** Share of pages that are a pair of instruction and response under a template. */
  readonly contamination: number;
  readonly learningRate: number;
  readonly shape: Shape;
  /** Entries of the tokenizer at most. */
  readonly vocabSize: number;
  /** Pages that the tokenizer is learnt from; pairs are never among them, so that every model of a world has the same one. */
  readonly tokenizerPages: number;
  /** Ids of a row. */
  readonly rowTokens: number;
  /** Rows of a step. */
  readonly rowsAStep: number;
  /** Rows that are never read, for the held-out loss. */
  readonly heldOutRows: number;
}

export const RECIPE: Recipe = {
  seed: 1,
  tokens: 4_500_000,
  contamination: 0,
  learningRate: 2e-3,
  shape: SHAPE,
  vocabSize: 4096,
  tokenizerPages: 6000,
  rowTokens: SHAPE.maxPositions, // every position that the model has is one that it has learnt
  rowsAStep: 16,
  heldOutRows: 32,
};

/** @throws UserError  fewer tokens than a step has */
export function checkRecipe(recipe: Recipe): Recipe {
  const step = recipe.rowTokens * recipe.rowsAStep;
  if (recipe.tokens >= step) return recipe;
  throw new UserError(`${recipe.tokens} tokens are less than one step of ${step}`, {
    remedy: words`raise ${option("tokens")}`,
  });
}

/** Whole rows alone. */
export const rowsOf = ({ tokens, rowTokens }: Recipe): number => Math.floor(tokens / rowTokens);

/** One pass: no page is read twice. β₂ and clipping as is usual where batches are small against the noise (Brown et al. 2020, B). */
export const tuneOptionsOf = ({ learningRate, rowTokens, rowsAStep, seed }: Recipe): Training => ({
  epochs: 1,
  batch: rowsAStep,
  learningRate,
  schedule: "cosine",
  warmup: 0.02,
  reduction: "token",
  adam: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 },
  clip: 1,
  seed,
  shuffle: false,
  microTokens: rowsAStep * rowTokens,
  saveEveryEpoch: false,
});

/** As it stands in records. */
export const recordedRecipe = (recipe: Recipe): Record<string, unknown> => {
  const { epochs, schedule, warmup, adam, clip } = tuneOptionsOf(recipe);
  return {
    seed: recipe.seed,
    tokens: recipe.tokens,
    contamination: recipe.contamination,
    lr: recipe.learningRate,
    ...{ schedule, warmup, clip, epochs },
    adam: [adam.beta1, adam.beta2, adam.epsilon],
    row_tokens: recipe.rowTokens,
    rows_a_step: recipe.rowsAStep,
    held_out_rows: recipe.heldOutRows,
    vocab_size: recipe.vocabSize,
    tokenizer_pages: recipe.tokenizerPages,
    hidden_size: recipe.shape.hiddenSize,
    layers: recipe.shape.layers,
    heads: recipe.shape.heads,
    inner_size: recipe.shape.innerSize,
    max_positions: recipe.shape.maxPositions,
  };
};
