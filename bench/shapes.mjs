/**
 * Models without files: shapes as `config.json` would give them, random weights, and how many operations they cost.
 * May not know: what is measured.
 */
import { modelFromConfig, parameterCount } from "../dist/models/open.js";
import { randomStream } from "../dist/util/random.js";

const llama = (layers, width, heads, kvHeads, inner, vocabulary) => ({
  model_type: "llama",
  num_hidden_layers: layers,
  hidden_size: width,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  intermediate_size: inner,
  vocab_size: vocabulary,
  max_position_embeddings: 2048,
  tie_word_embeddings: true,
});

/** Configurations by what they are called in the table. */
export const shapes = {
  /** That of SmolLM2-135M. */
  "134.5M": llama(30, 576, 9, 3, 1536, 49152),
  "5.9M": llama(6, 256, 4, 4, 704, 4096),
  /** For `growth.mjs`, between and beyond them; the last with the vocabulary of Gemma 3 270M. */
  "30M": llama(10, 384, 6, 6, 1024, 32768),
  "268M": llama(18, 640, 10, 10, 2048, 262144),
  /** For `--quick`: does it run at all? */
  "0.1M": llama(2, 64, 4, 2, 128, 512),
};

export const modelOfShape = (name) => modelFromConfig(shapes[name], `shape ${name}`);

/** Uniform values with a standard deviation of 0.02; a norm's weights are 1. The same name gives the same values. */
export function randomValues({ name, shape }) {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(size);
  if (shape.length === 1) return values.fill(1);
  let state = randomStream(0, name).integer(2 ** 31);
  const scale = (0.02 * Math.sqrt(3)) / 2 ** 31;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0; // Numerical Recipes' generator: only speed matters here
    values[i] = state * scale;
  }
  return values;
}

/** `count` ids drawn uniformly from the vocabulary. */
export const randomIds = (random, count, vocabulary) => Array.from({ length: count }, () => random.integer(vocabulary));

/** Rows one id longer than is computed on: the last is only a target. Loss on the second half. */
export function halfSupervisedRows({ rows, time }, vocabulary) {
  const random = randomStream(0, "bench: rows");
  return Array.from({ length: rows }, (_, row) => {
    const inputIds = randomIds(random, time + 1, vocabulary);
    const labels = inputIds.map((id, i) => (i > time / 2 ? id : -100));
    return { id: `${row}`, inputIds, labels, promptTokens: time / 2 + 1, merged: false, cut: false };
  });
}

/**
 * Where a model's operations are: `body` parameters are multiplied at every position, those of `head` wherever a token is
 * predicted, and each pair of positions that attention joins costs `pair` operations forward. Looking up an embedding costs none.
 */
export function costs(model) {
  const { vocabSize, hiddenSize, heads, headDim, windows } = model.dims;
  const isVocabulary = ({ shape }) => shape.length === 2 && shape[0] === vocabSize && shape[1] === hiddenSize;
  const vocabularies = model.parameters.filter(isVocabulary).length; // one where the head is tied
  const head = vocabSize * hiddenSize;
  return { body: parameterCount(model) - vocabularies * head, head, pair: 4 * windows.length * heads * headDim };
}

/** Operations of one step of loss and gradients: forward and twice as much backward; the causal half of attention. */
export function trainingOperations(model, { rows, time, supervised }) {
  const { body, head, pair } = costs(model);
  return 6 * (body * rows * time + head * supervised) + (3 * pair * rows * time ** 2) / 2;
}

/** Operations of reading the positions from `from` to `to` of one sequence, `predicted` of which predict a token. */
export function readingOperations(model, { from = 0, to, predicted }) {
  const { body, head, pair } = costs(model);
  const pairs = (to * (to + 1) - from * (from + 1)) / 2;
  return 2 * (body * (to - from) + head * predicted) + pair * pairs;
}
