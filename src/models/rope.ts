/**
 * Rotary position embedding as tables: what a forward pass looks up, by position.
 * May not know: families, training, decoding.
 */
import type { Device, Tensor } from "../runtime/device.js";
import type { Model, RopeSpec } from "./model.js";

/** cos and sin of every position below `positions`, row-major [positions, hd/2]. RoFormer, section 3.2.2. */
export function ropeTable(
  { headDim, theta, factor }: RopeSpec,
  positions: number,
): { cos: Float32Array; sin: Float32Array } {
  const half = headDim / 2;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  // The published models computed the frequencies in single precision; so does this, or late positions drift apart.
  const frequencies = Float32Array.from(
    { length: half },
    (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / headDim)),
  );
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(p * Math.fround((frequencies[i] ?? 0) / factor));
      cos[p * half + i] = Math.cos(angle);
      sin[p * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** The rotary tables of a model as feeds, for positions below `positions`. */
export function ropeFeeds(model: Model, device: Device, positions: number): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const rope of model.ropes) {
    const { cos, sin } = ropeTable(rope, positions);
    feeds[`cos.${rope.name}`] = device.fromFloats(cos, [positions, rope.headDim / 2]);
    feeds[`sin.${rope.name}`] = device.fromFloats(sin, [positions, rope.headDim / 2]);
  }
  return feeds;
}
