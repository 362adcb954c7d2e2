/**
 * Adherence to the finetuning style (the paper's figure 5): is a response nearer to the data that the model was tuned on than to responses in
 * general, and does that depend on how near its instruction is?
 * May not know: where vectors come from, files.
 */
import { centroid, cosine } from "./vectors.js";

/** How the cosines to many texts become one number: their mean, as in the paper, or that to the nearest. */
export type Statistic = "mean" | "max";

export interface AdherenceInput {
  /** One each for every test instruction and its response. */
  readonly instructions: readonly Float64Array[];
  readonly responses: readonly Float64Array[];
  /** What the model was tuned on. */
  readonly taskInstructions: readonly Float64Array[];
  readonly taskResponses: readonly Float64Array[];
  /** Responses in general; undefined: y is the similarity to the task's responses alone. */
  readonly referenceResponses: readonly Float64Array[] | undefined;
}

export interface AdherencePoint {
  /** Similarity of the instruction to the task's instructions. */
  readonly x: number;
  /** toTask − toReference. */
  readonly y: number;
  readonly toTask: number;
  readonly toReference: number | undefined;
}

export function adherence(input: AdherenceInput, statistic: Statistic): AdherencePoint[] {
  const toInstructions = similarityTo(input.taskInstructions, statistic);
  const toResponses = similarityTo(input.taskResponses, statistic);
  const toReferences = input.referenceResponses && similarityTo(input.referenceResponses, statistic);
  return input.instructions.map((instruction, i) => {
    const response = input.responses[i] ?? new Float64Array();
    const toTask = toResponses(response);
    const toReference = toReferences?.(response);
    return { x: toInstructions(instruction), y: toTask - (toReference ?? 0), toTask, toReference };
  });
}

function similarityTo(vectors: readonly Float64Array[], statistic: Statistic): (vector: Float64Array) => number {
  if (statistic === "max") {
    return (vector) => vectors.reduce((most, other) => Math.max(most, cosine(vector, other)), -1);
  }
  const middle = centroid(vectors);
  return (vector) => cosine(vector, middle);
}

export type ExtremeKind = "highest_x" | "median_x" | "lowest_x" | "highest_y" | "lowest_y";

/** Places of the points that are worth reading: `count` of each kind, ties by their order. */
export function extremes(points: readonly AdherencePoint[], count: number): Record<ExtremeKind, number[]> {
  const by = (value: (point: AdherencePoint) => number): number[] =>
    [...points.keys()].sort((a, b) => valueAt(points, b, value) - valueAt(points, a, value) || a - b);
  const [x, y] = [by((point) => point.x), by((point) => point.y)];
  const middle = Math.max(0, Math.floor((x.length - count) / 2));
  return {
    highest_x: x.slice(0, count),
    median_x: x.slice(middle, middle + count),
    lowest_x: x.slice(-count).reverse(),
    highest_y: y.slice(0, count),
    lowest_y: y.slice(-count).reverse(),
  };
}

function valueAt(points: readonly AdherencePoint[], i: number, value: (point: AdherencePoint) => number): number {
  const point = points[i];
  return point === undefined ? Number.NaN : value(point);
}
