import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sha256 } from "../util/files.js";
import { BLOCK_TYPES } from "./gguf-blocks.js";

// Made by python/fixtures/gguf_blocks.py with the Python package `gguf`; versions in origin.json beside it.
const folder = new URL("../../test/fixtures/weights/", import.meta.url);
const text = readFileSync(new URL("gguf-blocks.json", folder), "utf8");
const cases = JSON.parse(text) as { type: string; number: number; bytes: string; values: string }[];

describe("blocks to float32", () => {
  it("is judged by the files that their origin names", () => {
    const origin = JSON.parse(readFileSync(new URL("origin.json", folder), "utf8")) as Record<
      string,
      { sha256: string }
    >;
    const hashes = Object.keys(origin).map((name) => [name, sha256(readFileSync(new URL(name, folder)))]);
    expect(hashes).toEqual(Object.entries(origin).map(([name, entry]) => [name, entry.sha256]));
    expect(readdirSync(folder).sort()).toEqual([...Object.keys(origin), "origin.json"].sort());
  });

  it("has a golden case for every type that is read", () => {
    expect(cases.map((c) => c.number).sort()).toEqual([...BLOCK_TYPES.keys()].sort());
  });

  it.each(cases)("$type: the same bits as the Python package", ({ type, number, bytes, values }) => {
    const block = BLOCK_TYPES.get(number)!;
    expect(block.name).toBe(type);
    const source = Uint8Array.from(Buffer.from(bytes, "hex"));
    const expected = new Float32Array(Uint8Array.from(Buffer.from(values, "hex")).buffer);
    expect(expected.length / block.values).toBe(source.length / block.bytes);
    const out = new Float32Array(expected.length);
    block.dequantise(source, out);
    expect(canonical(out)).toEqual(canonical(expected));
  });

  it.each(cases)("$type: gives the same from an odd position in memory", ({ number, bytes }) => {
    const block = BLOCK_TYPES.get(number)!;
    const source = Uint8Array.from(Buffer.from(bytes, "hex"));
    const shifted = new Uint8Array(source.length + 1);
    shifted.set(source, 1);
    const [a, b] = [0, 1].map(() => new Float32Array((source.length / block.bytes) * block.values)) as [
      Float32Array,
      Float32Array,
    ];
    block.dequantise(source, a);
    block.dequantise(shifted.subarray(1), b);
    expect(canonical(b)).toEqual(canonical(a));
  });
});

/** Bit patterns; every NaN as one, since its payload is nobody's promise. */
const canonical = (values: Float32Array): number[] =>
  Array.from(new Uint32Array(values.buffer), (bits, i) => (Number.isNaN(values[i]) ? 0x7fc00000 : bits));
