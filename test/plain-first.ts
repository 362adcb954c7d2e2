/**
 * The order of test files: first those that cannot reach ONNX Runtime. Its first session sets the thread that makes it to take denormal
 * numbers as zero, for good, and the files of a suite share their processes.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { specifiersIn } from "./imports.js";

export class PlainFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const plain = sorted.filter(({ moduleId }) => !reachesRuntime(moduleId));
    const others = new Set(sorted);
    for (const file of plain) others.delete(file);
    return [...plain, ...others];
  }
}

const root = join(import.meta.dirname, "..");
const named = new Map<string, readonly string[]>();

/** Paths of the modules that a module names, and packages by their names. */
function namedBy(path: string): readonly string[] {
  const known = named.get(path);
  if (known !== undefined) return known;
  const found = specifiersIn(readFileSync(path, "utf8")).map((name) => {
    if (name === "tacit-lm") return join(root, "src", "index.ts");
    return name.startsWith(".") ? join(dirname(path), name.replace(/\.js$/, ".ts")) : name;
  });
  named.set(path, found);
  return found;
}

/** Whether a module, or one that it names, on and on, loads ONNX Runtime. */
export function reachesRuntime(path: string): boolean {
  const seen = new Set([path]); // grows while it is gone through
  for (const one of seen) {
    if (one === "onnxruntime-node") return true;
    if (one.endsWith(".ts") && existsSync(one)) for (const next of namedBy(one)) seen.add(next);
  }
  return false;
}
