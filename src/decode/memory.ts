/**
 * How many rows fit side by side, in decoding and in scoring.
 * May not know: programs, files.
 */
import type { Precision } from "../engine/requests.js";
import type { Model, ModelDims } from "../models/model.js";
import { CHUNK, planBody } from "./body.js";
import { bytesPerPosition } from "./cache.js";
import { BYTES_PER_ROUNDED } from "./quantize.js";

/** More rows than this gain little on a CPU. */
const MOST_ROWS = 64;
/** Of the free memory, what caches and logits may take; weights are counted apart. */
const SHARE = 0.6;
/** A growing cache is held twice for one of its tensors and has room ahead. */
const SLACK = 1.5;
/** Rows of the vocabulary that one step holds at once: logits, scores, and what sampling or a trace makes of them. */
const VOCABULARY_ROWS = 6;

export interface MemoryPlan {
  readonly freeBytes: number;
  /** What the programs take: weights as stored by the runtime. */
  readonly weightBytes: number;
  /** Ids of the longest prompt and its answer. */
  readonly positions: number;
  /** Of them those of the prompt. */
  readonly promptPositions: number;
}

/** Rows to decode side by side, at least 1. Outputs do not depend on it. */
export function defaultBatch(dims: ModelDims, plan: MemoryPlan): number {
  const { freeBytes, weightBytes, positions, promptPositions } = plan;
  const room = SHARE * freeBytes - weightBytes;
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(room / rowBytes(dims, { positions, promptPositions }))));
}

/** What one row takes: its cache, what is read of its prompt, and what one step makes of the vocabulary. */
export function rowBytes(
  dims: ModelDims,
  { positions, promptPositions }: Pick<MemoryPlan, "positions" | "promptPositions">,
): number {
  // What is read of prompts lies in a cache of its own until it has a place, and the chunk on its way there.
  const held = (Math.min(positions, dims.maxPositions) + promptPositions) * SLACK + CHUNK;
  return bytesPerPosition(dims) * held + VOCABULARY_ROWS * dims.vocabSize * FLOAT;
}

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * The most that a model's weights take while its programs are made: everything once in the runtime and once as it was read, and a matrix that is
 * embedding and head is two. In 8 bits the embedding stays as it is, and the head is read whole before it is rounded. Measured on models of
 * 138M to 200M parameters, tied and not, what a process took beyond it was 160 to 260 MB.
 */
export function weightBytes(model: Model, precision: Precision): number {
  const sizes = new Map(model.parameters.map(({ name, shape }) => [name, shape.reduce((a, b) => a * b, 1)]));
  const sum = (names: Iterable<string>): number =>
    [...names].reduce((total, name) => total + (sizes.get(name) ?? 0), 0);
  const { wanted, weights, headName } = planBody(model, precision);
  const [whole, rounded, head] = [sum(wanted), sum(weights.keys()), sum([headName])];
  if (precision === "f32") return 2 * FLOAT * (whole + head);
  return 2 * (FLOAT * whole + BYTES_PER_ROUNDED * rounded) + (FLOAT + BYTES_PER_ROUNDED) * head;
}

/** Of the free memory, what caches may take while responses are scored, and the most that gains anything. */
const SCORING = { share: 0.3, most: 2 ** 30 } as const;

/** Bytes for the caches of prompts and responses. Values do not depend on it. */
export const scoringBytes = (freeBytes: number): number => Math.min(SCORING.most, SCORING.share * freeBytes);

/** Positions that fit into so many bytes of cache. */
export const positionsWithin = (dims: ModelDims, bytes: number): number =>
  Math.floor(bytes / (bytesPerPosition(dims) * SLACK));

/** How many of the rows at the front fit side by side, at least 1: each takes as many positions as the longest. */
export function rowsThatFit(lengths: readonly number[], limits: { most: number; positions: number }): number {
  let longest = 0;
  for (const [rows, length] of lengths.slice(0, limits.most).entries()) {
    longest = Math.max(longest, length);
    if (rows > 0 && (rows + 1) * longest > limits.positions) return rows;
  }
  return Math.min(limits.most, lengths.length);
}
