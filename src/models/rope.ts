/**
 * Rotary position embedding as tables: what a forward pass looks up, by position.
 * May not know: families, training, decoding.
 */
import type { Device, Tensor } from "../runtime/device.js";
import type { Model, RopeSpec } from "./model.js";

/** cos and sin of every position below `positions`, row-major [positions, n]. RoFormer, section 3.2.2. */
function ropeTable({ frequencies, magnitude }: RopeSpec, positions: number): { cos: Float32Array; sin: Float32Array } {
  const cos = new Float32Array(positions * frequencies.length);
  const sin = new Float32Array(positions * frequencies.length);
  for (let p = 0; p < positions; p++) {
    frequencies.forEach((frequency, i) => {
      const angle = Math.fround(p * frequency); // in single precision, as the published models have it
      cos[p * frequencies.length + i] = magnitude * Math.cos(angle);
      sin[p * frequencies.length + i] = magnitude * Math.sin(angle);
    });
  }
  return { cos, sin };
}

/** The rotary tables of a model as feeds, for positions below `positions`. */
export function ropeFeeds(model: Model, device: Device, positions: number): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const rope of model.ropes) {
    const { cos, sin } = ropeTable(rope, positions);
    feeds[`cos.${rope.name}`] = device.fromFloats(cos, [positions, rope.frequencies.length]);
    feeds[`sin.${rope.name}`] = device.fromFloats(sin, [positions, rope.frequencies.length]);
  }
  return feeds;
}
