/**
 * Weights of linear layers in 8 bits: how they are rounded, and a graph that computes with them.
 * May not know: models, files.
 */
import { input, linearQ8 } from "../graph/build.js";
import { type Graph, isOp, type Node, type Value } from "../graph/ops.js";
import { rewrite } from "../graph/rewrite.js";
import type { Device, Tensor } from "../runtime/device.js";
import { invariant, present } from "../util/errors.js";

/**
 * Weights along a row that share a scale; measured in bench/README.md. Not 128: there ONNX Runtime's kernels give the last row of an
 * odd number of rows other bits than the rest.
 */
const BLOCK_SIZE = 32;

/** Of one weight in 8 bits: its code and its part of a scale. */
export const BYTES_PER_ROUNDED = 1 + Float32Array.BYTES_PER_ELEMENT / BLOCK_SIZE;

/** Rows are multiplied in whole multiples of this many: kernels take pairs, and an odd row, or one alone, through other code with other bits. */
export const ROW_MULTIPLE = 2;

/** How a linear layer multiplies: integers where the processor has them, 8-bit activations included. */
const PARAMS = { blockSize: BLOCK_SIZE, activations: "i8" } as const;

/** W [N,K] as `linearQ8` takes it. */
export interface QuantizedWeight {
  readonly codes: Tensor; // u8 [N, blocks, BLOCK_SIZE]
  readonly scales: Tensor; // f32 [N, blocks]
}

const blocksOf = (width: number): number => Math.ceil(width / BLOCK_SIZE);

/**
 * Each block in 255 steps from −max to max: code = 128 + round(w / scale), scale = max|w| / 127, so that 0 is exact.
 *
 * @param transposed the values lie as [K,N]
 */
export function quantize(
  device: Device,
  values: Float32Array,
  [rows, width]: readonly [number, number],
  transposed = false,
): QuantizedWeight {
  invariant(values.length === rows * width, `${values.length} values of a weight [${rows}, ${width}]`);
  const blocks = blocksOf(width);
  const codes = new Uint8Array(rows * blocks * BLOCK_SIZE).fill(128);
  const scales = new Float32Array(rows * blocks);
  const place = transposed ? (row: number, k: number) => k * rows + row : (row: number, k: number) => row * width + k;
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < width; start += BLOCK_SIZE) {
      const end = Math.min(width, start + BLOCK_SIZE);
      const block = row * blocks + start / BLOCK_SIZE;
      let largest = 0;
      for (let k = start; k < end; k++) largest = Math.max(largest, Math.abs(values[place(row, k)] ?? 0));
      const scale = Math.fround(largest / 127);
      scales[block] = scale;
      if (scale === 0) continue;
      for (let k = start; k < end; k++) {
        codes[block * BLOCK_SIZE + k - start] = 128 + Math.round((values[place(row, k)] ?? 0) / scale);
      }
    }
  }
  return {
    codes: device.fromBytes(codes, [rows, blocks, BLOCK_SIZE]),
    scales: device.fromFloats(scales, [rows, blocks]),
  };
}

const codesName = (name: string): string => `${name}.codes`;
const scalesName = (name: string): string => `${name}.scales`;

/** x [R,K] · Wᵀ with the inputs `name.codes` and `name.scales`, declared where they are not yet. */
export function quantizedLinear(x: Value, name: string, [rows, width]: readonly [number, number]): Value {
  const { graph } = x;
  const declared = (called: string, dtype: "u8" | "f32", shape: readonly number[]): Value =>
    graph.inputs.get(called) ?? input(graph, called, dtype, shape);
  const codes = declared(codesName(name), "u8", [rows, blocksOf(width), BLOCK_SIZE]);
  return linearQ8(x, codes, declared(scalesName(name), "f32", [rows, blocksOf(width)]), PARAMS);
}

export const bakedWeight = (name: string, { codes, scales }: QuantizedWeight): Record<string, Tensor> => ({
  [codesName(name)]: codes,
  [scalesName(name)]: scales,
});

export interface QuantizedGraph {
  readonly graph: Graph;
  readonly outputs: ReadonlyMap<string, Value>;
  /** Of the weights that are now codes and scales: [N, K], and whether they are stored as [K, N]. */
  readonly weights: ReadonlyMap<string, { readonly shape: readonly [number, number]; readonly transposed: boolean }>;
}

/** Every product of rows with a parameter computes in 8 bits; what else parameters are used for stays as it is. */
export function quantizeLinears(
  from: Graph,
  outputs: ReadonlyMap<string, Value>,
  parameters: ReadonlyMap<string, Value>,
): QuantizedGraph {
  const names = new Map([...parameters].map(([name, value]) => [value, name]));
  const weights = new Map<string, { shape: readonly [number, number]; transposed: boolean }>();
  const made = rewrite(from, outputs, (node, inputs) => {
    const weight = weightOf(node, names);
    if (weight === undefined) return undefined;
    weights.set(weight.name, weight);
    return [quantizedLinear(present(inputs[0], "x"), weight.name, weight.shape)];
  });
  return { ...made, weights };
}

function weightOf(node: Node, names: ReadonlyMap<Value, string>) {
  if (!isOp(node, "matmul")) return undefined;
  const [x, weight] = [present(node.inputs[0], "x"), present(node.inputs[1], "weight")];
  const name = names.get(weight);
  const { transA, transB, alpha } = node.params;
  if (name === undefined || transA || alpha !== 1 || x.type.shape.length !== 2) return undefined;
  const [rows, width] = (transB ? weight.type.shape : [...weight.type.shape].reverse()) as [number, number];
  return { name, shape: [rows, width] as const, transposed: !transB };
}
