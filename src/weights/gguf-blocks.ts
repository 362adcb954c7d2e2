/**
 * GGML's blocks to float32, one plain loop per type. Layouts: ggml-common.h and `dequantize_row_*` of ggml-quants.c in
 * llama.cpp (`ggml/src`). Scales are binary16; all products below fit the 53 bits of a double and are rounded once, on the
 * store, which gives exactly what the float32 arithmetic of the Python package `gguf` gives.
 * May not know: files, names, shapes.
 */
import { bf16ToF32, f16ToF32, f16Values } from "../util/float16.js";

/** Reads `out.length` values from `bytes`; both hold whole blocks. */
type Dequantise = (bytes: Uint8Array, out: Float32Array) => void;

export interface BlockType {
  readonly name: string;
  /** Values in a block. */
  readonly values: number;
  /** Bytes of a block. */
  readonly bytes: number;
  readonly dequantise: Dequantise;
}

/** By the number in the file (`enum ggml_type`, ggml.h). */
export const BLOCK_TYPES: ReadonlyMap<number, BlockType> = new Map([
  [0, { name: "F32", values: 1, bytes: 4, dequantise: copyF32 }],
  [1, { name: "F16", values: 1, bytes: 2, dequantise: (bytes, out) => f16ToF32(halves(bytes), out) }],
  [2, { name: "Q4_0", values: 32, bytes: 18, dequantise: q4_0 }],
  [3, { name: "Q4_1", values: 32, bytes: 20, dequantise: q4_1 }],
  [6, { name: "Q5_0", values: 32, bytes: 22, dequantise: q5_0 }],
  [7, { name: "Q5_1", values: 32, bytes: 24, dequantise: q5_1 }],
  [8, { name: "Q8_0", values: 32, bytes: 34, dequantise: q8_0 }],
  [12, { name: "Q4_K", values: 256, bytes: 144, dequantise: q4_k }],
  [13, { name: "Q5_K", values: 256, bytes: 176, dequantise: q5_k }],
  [14, { name: "Q6_K", values: 256, bytes: 210, dequantise: q6_k }],
  [30, { name: "BF16", values: 1, bytes: 2, dequantise: (bytes, out) => bf16ToF32(halves(bytes), out) }],
] satisfies [number, BlockType][]);

/** Types that exist and are not read, so that a message can name them. */
export const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [20, "IQ4_NL"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
]);

/** Two bytes each, aligned: a view where it can be one, else a copy. */
function halves(bytes: Uint8Array): Uint16Array {
  if (bytes.byteOffset % 2 === 0) return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  return new Uint16Array(bytes.slice().buffer);
}

function copyF32(bytes: Uint8Array, out: Float32Array): void {
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
}

/** Q4_0: f16 scale, 16 bytes of nibbles; value = d (q - 8). Low nibbles are values 0-15, high ones 16-31. */
function q4_0(bytes: Uint8Array, out: Float32Array): void {
  const half = f16Values();
  for (let at = 0, o = 0; o < out.length; at += 18, o += 32) {
    const d = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 2 + j]!;
      out[o + j] = d * ((q & 15) - 8);
      out[o + 16 + j] = d * ((q >> 4) - 8);
    }
  }
}

/** Q4_1: f16 scale, f16 minimum, nibbles; value = d q + m. */
function q4_1(bytes: Uint8Array, out: Float32Array): void {
  const half = f16Values();
  for (let at = 0, o = 0; o < out.length; at += 20, o += 32) {
    const d = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const m = half[bytes[at + 2]! | (bytes[at + 3]! << 8)]!;
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 4 + j]!;
      out[o + j] = d * (q & 15) + m;
      out[o + 16 + j] = d * (q >> 4) + m;
    }
  }
}

/** Q5_0: f16 scale, 32 fifth bits, nibbles; value = d (q - 16). */
function q5_0(bytes: Uint8Array, out: Float32Array): void {
  const half = f16Values();
  for (let at = 0, o = 0; o < out.length; at += 22, o += 32) {
    const d = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const high = bytes[at + 2]! | (bytes[at + 3]! << 8) | (bytes[at + 4]! << 16) | (bytes[at + 5]! << 24);
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 6 + j]!;
      out[o + j] = d * (((q & 15) | (((high >>> j) & 1) << 4)) - 16);
      out[o + 16 + j] = d * (((q >> 4) | (((high >>> (j + 16)) & 1) << 4)) - 16);
    }
  }
}

/** Q5_1: f16 scale, f16 minimum, 32 fifth bits, nibbles; value = d q + m. */
function q5_1(bytes: Uint8Array, out: Float32Array): void {
  const half = f16Values();
  for (let at = 0, o = 0; o < out.length; at += 24, o += 32) {
    const d = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const m = half[bytes[at + 2]! | (bytes[at + 3]! << 8)]!;
    const high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 8 + j]!;
      out[o + j] = d * ((q & 15) | (((high >>> j) & 1) << 4)) + m;
      out[o + 16 + j] = d * ((q >> 4) | (((high >>> (j + 16)) & 1) << 4)) + m;
    }
  }
}

/** Q8_0: f16 scale, 32 signed bytes; value = d q. */
function q8_0(bytes: Uint8Array, out: Float32Array): void {
  const half = f16Values();
  for (let at = 0, o = 0; o < out.length; at += 34, o += 32) {
    const d = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let j = 0; j < 32; j++) out[o + j] = d * ((bytes[at + 2 + j]! << 24) >> 24);
  }
}

/** Six-bit scale of sub-block `s` (0-7) in the twelve bytes at `at` (`get_scale_min_k4`). */
function scaleOf(bytes: Uint8Array, at: number, s: number): number {
  return s < 4 ? bytes[at + s]! & 63 : (bytes[at + s + 4]! & 15) | ((bytes[at + s - 4]! >> 6) << 4);
}

/** Six-bit minimum of sub-block `s`. */
function minimumOf(bytes: Uint8Array, at: number, s: number): number {
  return s < 4 ? bytes[at + s + 4]! & 63 : (bytes[at + s + 4]! >> 4) | ((bytes[at + s]! >> 6) << 4);
}

/** Q4_K: f16 d and dmin, 8 six-bit scales and minima, 128 bytes of nibbles; 32 low, then 32 high of each 32 bytes. */
function q4_k(bytes: Uint8Array, out: Float32Array): void {
  const half = f16Values();
  for (let at = 0, o = 0; o < out.length; at += 144, o += 256) {
    const d = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const dmin = half[bytes[at + 2]! | (bytes[at + 3]! << 8)]!;
    for (let s = 0; s < 8; s++) {
      const scale = d * scaleOf(bytes, at + 4, s);
      const minimum = dmin * minimumOf(bytes, at + 4, s);
      const q = at + 16 + 32 * (s >> 1);
      const shift = (s & 1) * 4;
      for (let j = 0; j < 32; j++) out[o + 32 * s + j] = scale * ((bytes[q + j]! >> shift) & 15) - minimum;
    }
  }
}

/** Q5_K: as Q4_K with 32 bytes of fifth bits (bit s for sub-block s) before the nibbles. */
function q5_k(bytes: Uint8Array, out: Float32Array): void {
  const half = f16Values();
  for (let at = 0, o = 0; o < out.length; at += 176, o += 256) {
    const d = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const dmin = half[bytes[at + 2]! | (bytes[at + 3]! << 8)]!;
    for (let s = 0; s < 8; s++) {
      const scale = d * scaleOf(bytes, at + 4, s);
      const minimum = dmin * minimumOf(bytes, at + 4, s);
      const q = at + 48 + 32 * (s >> 1);
      const shift = (s & 1) * 4;
      for (let j = 0; j < 32; j++) {
        const high = ((bytes[at + 16 + j]! >> s) & 1) << 4;
        out[o + 32 * s + j] = scale * (((bytes[q + j]! >> shift) & 15) | high) - minimum;
      }
    }
  }
}

/** Q6_K: 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, f16 d; value = d scale (q - 32). */
function q6_k(bytes: Uint8Array, out: Float32Array): void {
  const half = f16Values();
  for (let at = 0, o = 0; o < out.length; at += 210, o += 256) {
    const d = half[bytes[at + 208]! | (bytes[at + 209]! << 8)]!;
    for (let g = 0; g < 8; g++) {
      const low = at + 64 * (g >> 2) + 32 * (g & 1); // groups of 32: 0-3 in the first half, 4-7 in the second
      const lowShift = ((g >> 1) & 1) * 4;
      const high = at + 128 + 32 * (g >> 2);
      const highShift = (g & 3) * 2;
      for (let j = 0; j < 32; j++) {
        const scale = (bytes[at + 192 + 2 * g + (j >> 4)]! << 24) >> 24;
        const q = ((bytes[low + j]! >> lowShift) & 15) | (((bytes[high + j]! >> highShift) & 3) << 4);
        out[o + 32 * g + j] = d * scale * (q - 32);
      }
    }
  }
}
