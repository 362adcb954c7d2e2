/**
 * The CPU device: ONNX Runtime over typed arrays. The only file that imports `onnxruntime-node`.
 * May not know: models, training, decoding.
 */
import "../util/no-telemetry.js"; // before the next
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Graph, Value } from "../graph/ops.js";
import { type MayOverwrite, overwrites } from "../graph/overwrite.js";
import { type BakedTensor, exportGraph, SEQUENCE } from "../onnx/export.js";
import { invariant, outOfMemory, present } from "../util/errors.js";
import type { CompileOptions, Device, ElementType, Program, Region, Tensor, Tensors } from "./device.js";
import { createUpdates } from "./update.js";

type Values = Float32Array | BigInt64Array | Uint8Array;

type OrtFeeds = Readonly<Record<string, OrtTensor>>;
type OrtFetches = Readonly<Record<string, OrtTensor | null>>;

interface CpuTensor extends Tensor {
  readonly device: "cpu";
  readonly values: Values;
}

const ORT_TYPE = { f32: "float32", i64: "int64", bool: "bool", u8: "uint8" } as const;
const OUR_TYPE: Readonly<Record<string, ElementType>> = { float32: "f32", int64: "i64", bool: "bool", uint8: "u8" };

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function cpuTensor(elementType: ElementType, values: Values, shape: readonly number[]): CpuTensor {
  invariant(values.length === sizeOf(shape), `${values.length} values for shape [${shape.join()}]`);
  return { device: "cpu", elementType, values, shape };
}

/** What `allocate` gives; memory that there is not is the user's to fix. */
function allocated<T>(allocate: () => T): T {
  try {
    return allocate();
  } catch (error) {
    throw describeFailure(error);
  }
}

function own(tensor: Tensor): CpuTensor {
  invariant(tensor.device === "cpu" && "values" in tensor, `a ${tensor.device} tensor on the cpu`);
  return tensor as CpuTensor;
}

function floatsOf(tensor: Tensor): Float32Array {
  const { values } = own(tensor);
  invariant(values instanceof Float32Array, `${tensor.elementType} read as floats`);
  return values;
}

/** Typed arrays cut what lies outside without a word. */
function inside(values: Values, offset: number, length: number, what: string): void {
  const fits = offset >= 0 && length >= 0 && offset + length <= values.length;
  invariant(fits, `${what} ${offset}+${length} of ${values.length}`);
}

/** Up to this many floats a loop is faster than making a view to copy from. */
const SHORT_RUN = 256;

function copyRun(to: Float32Array, from: Float32Array, { from: start, to: target, length }: Region): void {
  if (length > SHORT_RUN) to.set(from.subarray(start, start + length), target);
  else for (let i = 0; i < length; i++) to[target + i] = from[start + i] as number;
}

/** Sessions that are open now, for the test that looks for leaks. */
let openSessions = 0;
export const openSessionCount = (): number => openSessions;

/** @param threads how many cores a program may use; the same number gives the same bits */
export function createCpuDevice(threads: number): Device {
  const updates = createUpdates();
  return {
    kind: "cpu",
    threads,
    fromFloats: (values, shape) => cpuTensor("f32", values, shape),
    fromBytes: (values, shape) => cpuTensor("u8", values, shape),
    fromInts: (values, shape) =>
      cpuTensor("i64", BigInt64Array.from(values as ArrayLike<number> & Iterable<number>, BigInt), shape),
    zeros: (shape) => allocated(() => cpuTensor("f32", new Float32Array(sizeOf(shape)), shape)),
    accumulators: (shapes) =>
      allocated(() => updates.accumulators(shapes.map(sizeOf))).map(({ gradient, first, second }, i) => {
        const like = (values: Float32Array): CpuTensor => cpuTensor("f32", values, present(shapes[i], "shape"));
        return { gradient: like(gradient), first: like(first), second: like(second) };
      }),
    view(tensor, offset, shape) {
      const { elementType, values } = own(tensor);
      const length = sizeOf(shape);
      inside(values, offset, length, "view");
      return cpuTensor(elementType, values.subarray(offset, offset + length), shape);
    },
    write(tensor, offset, source) {
      const { values } = own(tensor);
      inside(values, offset, source.length, "write");
      if (values instanceof BigInt64Array)
        for (let i = 0; i < source.length; i++) values[offset + i] = BigInt(source[i] ?? 0);
      else values.set(source, offset);
    },
    fill(tensor, value, offset = 0, length = sizeOf(tensor.shape) - offset) {
      const { values } = own(tensor);
      invariant(!(values instanceof BigInt64Array), "fill is for floats");
      inside(values, offset, length, "fill");
      values.fill(value, offset, offset + length);
    },
    copy(target, source, regions) {
      const [to, from] = [own(target).values, own(source).values];
      invariant(to instanceof Float32Array && from instanceof Float32Array, "copy is for floats");
      for (const region of regions) {
        inside(from, region.from, region.length, "copy from");
        inside(to, region.to, region.length, "copy to");
        copyRun(to, from, region);
      }
    },
    floats: (tensor) => Promise.resolve(floatsOf(tensor)),
    ints(tensor) {
      const { values } = own(tensor);
      invariant(values instanceof BigInt64Array, `${tensor.elementType} read as integers`);
      return Promise.resolve(Array.from(values, Number));
    },
    sumOfSquares: (tensor) => Promise.resolve(allocated(() => updates.sumOfSquares(floatsOf(tensor)))),
    adam({ parameter, gradient, first, second }, step) {
      const arrays = {
        parameter: floatsOf(parameter),
        gradient: floatsOf(gradient),
        first: floatsOf(first),
        second: floatsOf(second),
      };
      allocated(() => updates.adam(arrays, step)); // as the sum of squares: arrays from elsewhere need memory to be copied to
      return Promise.resolve();
    },
    compile: (graph, outputs, options) => compile(threads, graph, outputs, options),
  };
}

async function compile(
  threads: number,
  graph: Graph,
  outputs: ReadonlyMap<string, Value>,
  { baked = {}, inPlace = false }: CompileOptions = {},
): Promise<Program> {
  const exported = exportGraph(
    graph,
    outputs,
    new Map(Object.entries(baked).map(([name, tensor]) => [name, bake(tensor)])),
    { sequenceFirst: inPlace },
  );
  const session = await InferenceSession.create(exported.bytes, {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    // A pattern reserves a second arena as large as the first for every set of shapes; measured, it brings no speed here.
    enableMemPattern: false,
    logSeverityLevel: 4, // what it refuses comes as an exception, too
    externalData: exported.externalData.map(({ path, data }) => ({ path, data })),
    extra: {
      session: {
        // Denormals cost a hundredfold and carry no information here; they appear in Adam's second moments.
        set_denormal_as_zero: "1",
        // Every session has threads of its own. They would spin for a while after a run, on cores that the next program needs.
        force_spinning_stop: "1",
      },
    },
  }).catch((error: unknown) => {
    throw describeFailure(error);
  });
  openSessions++;
  const names = { inputs: exported.inputNames, outputs: [...outputs.keys()] };
  return new OrtProgram(session, names, remembered(overwrites(graph, outputs)), inPlace);
}

/** Asked before every run, answered by the graph once. */
function remembered(rule: MayOverwrite): MayOverwrite {
  const answers = new Map<string, boolean>();
  return (output, input) => {
    const key = JSON.stringify([output, input]);
    const answer = answers.get(key) ?? rule(output, input);
    answers.set(key, answer);
    return answer;
  };
}

function bake(tensor: Tensor): BakedTensor {
  const { elementType, values, shape } = own(tensor);
  invariant(elementType !== "bool", "bool constants are not used");
  return { elementType, shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

/**
 * The binding copies every output into an array of its own, also one that was written where it was told to (ONNX Runtime 1.30): for
 * the gradients of a large model, a gigabyte a run that nobody reads; for the keys and values of a chunk, 50 MB. It converts outputs
 * in their order and ends with this message at a sequence, which it cannot convert; so such an output comes first, and the others
 * stay where they were written. The sequence holds a copy of the first of them.
 */
const NOT_CONVERTED = /non tensor type is temporarily not supported/i;

class OrtProgram implements Program {
  readonly inputNames: readonly string[];
  readonly #session: InferenceSession;
  readonly #outputNames: readonly string[];
  readonly #mayOverwrite: MayOverwrite;
  readonly #inPlace: boolean;
  #disposed = false;

  constructor(
    session: InferenceSession,
    names: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
    mayOverwrite: MayOverwrite,
    inPlace: boolean,
  ) {
    this.#session = session;
    this.inputNames = names.inputs;
    this.#outputNames = names.outputs;
    this.#mayOverwrite = mayOverwrite;
    this.#inPlace = inPlace;
  }

  async run(feeds: Tensors, into: Tensors = {}): Promise<Tensors> {
    invariant(!this.#disposed, "a disposed program was run");
    const fed = Object.fromEntries(
      this.inputNames.map((name) => [name, toOrt(present(feeds[name], `input ${name}`))] as const),
    );
    this.#checkOverwrites(feeds, into);
    const fetches = Object.fromEntries(
      this.#outputNames.map((name) => [name, into[name] === undefined ? null : toOrt(into[name])] as const),
    );
    if (this.#inPlace) return await this.#runInPlace(fed, fetches, into);
    const results = await this.#session.run(fed, fetches).catch((error: unknown) => {
      throw describeFailure(error);
    });
    return Object.fromEntries(
      this.#outputNames.map((name) => [name, into[name] ?? fromOrt(present(results[name], `output ${name}`))] as const),
    );
  }

  async #runInPlace(fed: OrtFeeds, fetches: OrtFetches, into: Tensors): Promise<Tensors> {
    for (const name of this.#outputNames) present(into[name], `a tensor to write ${name} over`);
    const error: unknown = await this.#session.run(fed, { [SEQUENCE]: null, ...fetches }).then(
      () => undefined, // a later binding may convert sequences, too
      (reason: unknown) => reason,
    );
    if (error !== undefined && !NOT_CONVERTED.test(String(error))) throw describeFailure(error);
    return into;
  }

  /** An output in the memory of an input that something else still reads gives wrong numbers, and no error. */
  #checkOverwrites(feeds: Tensors, into: Tensors): void {
    const written = this.#outputNames.flatMap((name) =>
      into[name] === undefined ? [] : [{ name, ...span(into[name]) }],
    );
    if (written.length === 0) return;
    const read = new Map<ArrayBufferLike, (Span & { readonly name: string })[]>();
    for (const name of this.inputNames) {
      const bytes = span(present(feeds[name], `input ${name}`));
      const others = read.get(bytes.buffer) ?? [];
      others.push({ name, ...bytes });
      read.set(bytes.buffer, others);
    }
    for (const output of written) {
      for (const input of read.get(output.buffer) ?? []) {
        const apart = input.end <= output.start || output.end <= input.start;
        const same = input.start === output.start && input.end === output.end;
        invariant(
          apart || (same && this.#mayOverwrite(output.name, input.name)),
          `output ${output.name} would overwrite input ${input.name} while it is needed`,
        );
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    openSessions--;
    await this.#session.release();
  }
}

/** The bytes of a tensor. */
interface Span {
  readonly buffer: ArrayBufferLike;
  readonly start: number;
  readonly end: number;
}
function span(tensor: Tensor): Span {
  const { buffer, byteOffset, byteLength } = own(tensor).values;
  return { buffer, start: byteOffset, end: byteOffset + byteLength };
}

function toOrt(tensor: Tensor): OrtTensor {
  const { elementType, values, shape } = own(tensor);
  return new OrtTensor(ORT_TYPE[elementType] as "float32", values as Float32Array, shape);
}

function fromOrt(tensor: OrtTensor): CpuTensor {
  return cpuTensor(present(OUR_TYPE[tensor.type], `element type ${tensor.type}`), tensor.data as Values, tensor.dims);
}

/** Out of memory is the user's to fix; everything else that ONNX Runtime refuses is our mistake. */
function describeFailure(error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  if (!/bad_alloc|failed to allocate|allocate memory|array buffer allocation|invalid typed array length/i.test(text))
    return error;
  return outOfMemory(error);
}
