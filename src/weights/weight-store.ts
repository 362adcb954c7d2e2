/**
 * What the rest of the program knows of weights on disk: named tensors that are read as float32.
 * May not know: graphs, model families.
 */
export type WeightDtype = "F32" | "F16" | "BF16";

export interface WeightInfo {
  readonly name: string;
  /** How it lies on disk; quantised blocks are named by their GGUF type, for example `Q4_K`. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Weights of one model directory or file. */
export interface WeightStore {
  /** What messages call it: a path. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, WeightInfo>;
  /** Values in row-major order as float32. Allocates exactly the product of the checked shape. */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Weights whose values need not be in memory as a whole to be looked at: those of a model directory. */
export interface PiecewiseStore extends WeightStore {
  /** The values of `read` in order, a bounded number at a time. A piece is good only until the next one is asked for. */
  pieces(name: string): AsyncIterable<Float32Array>;
}

/** One tensor to write. `values` is asked for only when its turn has come, so that a model never exists twice. */
export interface WeightToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  /** Where it differs from the model's; a model may keep its norms in F32 beside BF16 matrices. */
  readonly dtype?: WeightDtype;
  readonly values: () => Float32Array | Promise<Float32Array>;
}
