/**
 * How many rows fit side by side, in decoding and in scoring.
 * May not know: programs, files.
 */
import type { ModelDims } from "../models/model.js";
import { CHUNK } from "./body.js";
import { bytesPerPosition } from "./cache.js";

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
  // What is read of prompts lies in a cache of its own until it has a place, and the chunk on its way there.
  const held = (Math.min(positions, dims.maxPositions) + promptPositions) * SLACK + CHUNK;
  const cache = bytesPerPosition(dims) * held;
  const logits = VOCABULARY_ROWS * dims.vocabSize * Float32Array.BYTES_PER_ELEMENT;
  const room = SHARE * freeBytes - weightBytes;
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(room / (cache + logits))));
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
