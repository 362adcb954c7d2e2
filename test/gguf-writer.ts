/** A plain GGUF writer for tests: what llama.cpp writes, without quantising. ggml/docs/gguf.md. */

export type Meta =
  | { readonly type: "u16" | "u32" | "i32" | "f32" | "u64"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "f32s" | "i32s"; readonly value: readonly number[] };

export interface Tensor {
  readonly name: string;
  /** Row-major, slowest first. */
  readonly shape: readonly number[];
  readonly type: number;
  readonly bytes: Uint8Array;
}

export interface GgufSample {
  readonly metadata: Readonly<Record<string, Meta>>;
  readonly tensors: readonly Tensor[];
  readonly version?: number;
}

const ALIGNMENT = 32;
const CODES = { u16: 2, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, u64: 10 } as const;

export function writeGguf({ metadata, tensors, version = 3 }: GgufSample): Uint8Array {
  const parts: Uint8Array[] = [];
  const put = (size: number, set: (view: DataView) => void): void => {
    const view = new DataView(new ArrayBuffer(size));
    set(view);
    parts.push(new Uint8Array(view.buffer));
  };
  const u32 = (n: number): void => put(4, (view) => view.setUint32(0, n, true));
  const u64 = (n: number): void => put(8, (view) => view.setBigUint64(0, BigInt(n), true));
  const string = (text: string): void => {
    const bytes = new TextEncoder().encode(text);
    u64(bytes.length);
    parts.push(bytes);
  };
  const scalar = (meta: Meta): void => {
    if (meta.type === "u16") put(2, (view) => view.setUint16(0, meta.value, true));
    else if (meta.type === "u32") u32(meta.value);
    else if (meta.type === "i32") put(4, (view) => view.setInt32(0, meta.value, true));
    else if (meta.type === "f32") put(4, (view) => view.setFloat32(0, meta.value, true));
    else if (meta.type === "u64") u64(meta.value);
    else if (meta.type === "bool") parts.push(Uint8Array.of(meta.value ? 1 : 0));
    else if (meta.type === "string") string(meta.value);
  };
  parts.push(new TextEncoder().encode("GGUF"));
  u32(version);
  u64(tensors.length);
  u64(Object.keys(metadata).length);
  for (const [key, meta] of Object.entries(metadata)) {
    string(key);
    if (meta.type === "strings" || meta.type === "f32s" || meta.type === "i32s") {
      u32(9);
      const of = meta.type === "strings" ? "string" : meta.type === "f32s" ? "f32" : "i32";
      u32(CODES[of]);
      u64(meta.value.length);
      for (const value of meta.value) scalar({ type: of, value } as Meta);
    } else {
      u32(CODES[meta.type]);
      scalar(meta);
    }
  }
  let offset = 0;
  for (const { name, shape, type, bytes } of tensors) {
    string(name);
    u32(shape.length);
    for (const size of [...shape].reverse()) u64(size);
    u32(type);
    u64(offset);
    offset += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
  }
  const pad = (): void => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    parts.push(new Uint8Array((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT));
  };
  for (const { bytes } of tensors) {
    pad();
    parts.push(bytes);
  }
  return Uint8Array.from(Buffer.concat(parts));
}

/** float32 values as a tensor of type F32. */
export function floats(name: string, shape: readonly number[], values: Float32Array): Tensor {
  return { name, shape, type: 0, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}
