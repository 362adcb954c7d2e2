/**
 * 16-bit floats to and from float32: IEEE 754 binary16 (`F16`) and bfloat16 (`BF16`). Writing rounds to nearest, ties to
 * even, as PyTorch's `.to(dtype)` does; what overflows becomes infinite, NaN stays NaN (quiet).
 * May not know: files, tensors.
 */

/** float32 bit pattern of the binary16 bit pattern `h`. Exact: every binary16 value is a float32 value. */
function f16Bits(h: number): number {
  const sign = (h & 0x8000) << 16;
  const exponent = (h >>> 10) & 0x1f;
  const fraction = h & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // subnormal: move the leading one to bit 10
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

let f16Table: Float32Array | undefined;

/** float32 value of each of the 65,536 binary16 patterns; 256 KiB, built on first use. */
export function f16Values(): Float32Array {
  if (f16Table === undefined) {
    const bits = new Int32Array(0x10000);
    for (let h = 0; h < 0x10000; h++) bits[h] = f16Bits(h);
    f16Table = new Float32Array(bits.buffer);
  }
  return f16Table;
}

/** Widens `source.length` binary16 patterns into `out`. */
export function f16ToF32(source: Uint16Array, out: Float32Array): void {
  const values = f16Values();
  for (let i = 0; i < source.length; i++) out[i] = values[source[i]!]!;
}

/** Widens `source.length` bfloat16 patterns into `out`: they are the upper halves of float32. */
export function bf16ToF32(source: Uint16Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < source.length; i++) bits[i] = source[i]! << 16;
}

/** binary16 patterns of `source`, rounded to nearest even. */
export function f32ToF16(source: Float32Array, out: Uint16Array): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < bits.length; i++) out[i] = roundToF16(bits[i]!);
}

function roundToF16(x: number): number {
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff); // NaN, made quiet
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above round to infinity
  if (magnitude >= 0x38800000) {
    // Normal: re-bias the exponent by 127 - 15, then drop 13 bits; a carry runs into the exponent as it should.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // up to 2^-25, half of the smallest: rounds to zero (a tie goes to even)
  const shift = 126 - (magnitude >>> 23); // subnormal: bits below 2^-24 are dropped
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const kept = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}

/** bfloat16 patterns of `source`, rounded to nearest even. */
export function f32ToBf16(source: Float32Array, out: Uint16Array): void {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    out[i] = (x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
}
