/**
 * Where tensors live and programs run. Above this folder a tensor is a handle: its values may lie in JavaScript memory (`cpu`) or
 * on a GPU, and only the device that made it can look inside.
 * May not know: models, training, decoding.
 */
import type { Graph, Value } from "../graph/ops.js";

export type ElementType = "f32" | "i64" | "bool" | "u8";

export interface Tensor {
  readonly device: "cpu" | "webgpu";
  readonly elementType: ElementType;
  readonly shape: readonly number[];
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** One contiguous run of elements to copy. */
export interface Region {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** One update by Adam, its bias corrections already in the factors: w −= stepSize · m / (√v · secondScale + ε). */
export interface AdamStep {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** What the gradient is multiplied by first. */
  readonly gradientScale: number;
  readonly stepSize: number;
  readonly secondScale: number;
}

/** What training keeps of one parameter beside its values: its gradient and Adam's two moments. */
export interface Accumulators {
  readonly gradient: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
}

export interface AdamTensors extends Accumulators {
  readonly parameter: Tensor;
}

export interface CompileOptions {
  /** Inputs that never change: they become constants that the runtime may lay out for speed. */
  readonly baked?: Tensors;
  /** Every run names a tensor to write over for every output; so nothing is handed over, and nothing copied. */
  readonly inPlace?: boolean;
}

export interface Device {
  readonly kind: "cpu" | "webgpu";
  readonly threads: number;
  /** A tensor of these values; the device may keep the very array, so the caller gives it away. */
  fromFloats(values: Float32Array, shape: readonly number[]): Tensor;
  /** As `fromFloats`, for codes of quantised weights. */
  fromBytes(values: Uint8Array, shape: readonly number[]): Tensor;
  fromInts(values: ArrayLike<number>, shape: readonly number[]): Tensor;
  zeros(shape: readonly number[]): Tensor;
  /** Zeros for parameters of these shapes, placed where `adam` and `sumOfSquares` are fastest. */
  accumulators(shapes: readonly (readonly number[])[]): readonly Accumulators[];
  /** `shape` elements of the same memory from element `offset` on: no copy. */
  view(tensor: Tensor, offset: number, shape: readonly number[]): Tensor;
  /** Overwrites elements from `offset` on. */
  write(tensor: Tensor, offset: number, values: ArrayLike<number>): void;
  fill(tensor: Tensor, value: number, offset?: number, length?: number): void;
  /** Where both lie in the same memory, no region may overlap what another reads or writes. */
  copy(target: Tensor, source: Tensor, regions: Iterable<Region>): void;
  floats(tensor: Tensor): Promise<Float32Array>;
  ints(tensor: Tensor): Promise<number[]>;
  /** Σ x², the sum in double precision. */
  sumOfSquares(tensor: Tensor): Promise<number>;
  /** Updates parameter and moments in place, in one pass over memory. Moments too small for a normal number become 0. */
  adam(tensors: AdamTensors, step: AdamStep): Promise<void>;
  compile(graph: Graph, outputs: ReadonlyMap<string, Value>, options?: CompileOptions): Promise<Program>;
}

/** A compiled graph. Dispose it: it holds memory that the garbage collector does not see. */
export interface Program extends AsyncDisposable {
  /** Names of the inputs that must be fed. */
  readonly inputNames: readonly string[];
  /**
   * @param feeds every input by name; more is allowed and ignored
   * @param into  outputs that overwrite an existing tensor, which may be one of the inputs (an update in place) where
   *              `graph/overwrite.ts` finds it sound
   * @throws InvariantError  an output would overwrite an input that is still needed
   * @returns     the outputs, those of `into` being the same handles
   */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
}
