import { join } from "node:path";
import { expect, it } from "vitest";
import { reachesRuntime } from "./plain-first.js";

const root = join(import.meta.dirname, "..");

it.each([
  ["src/runtime/cpu.test.ts", true],
  ["src/steps/tune.test.ts", true], // through its imports' imports
  ["test/library.test.ts", true], // by the package's name
  ["src/onnx/wire.test.ts", false], // draws denormal numbers
  ["src/stats/stats.test.ts", false],
])("%s reaches the runtime: %s", (path, expected) => {
  expect(reachesRuntime(join(root, path))).toBe(expected);
});
