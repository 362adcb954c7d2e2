/** Six suites. `unit` and `e2e` are hermetic, `e2e` starts the command as a process and kills it; `shared` needs the data folder beside the checkout; `models` needs fetched weights; `kills` takes hours; `builds` needs two built packages. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { PlainFirst } from "./test/plain-first.js";

const common = {
  pool: "forks" as const,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Examples import the package by its name.
  alias: { "tacit-lm": fileURLToPath(new URL("src/index.ts", import.meta.url)) },
};

export default defineConfig({
  test: {
    sequence: { sequencer: PlainFirst },
    maxWorkers: availableParallelism(), // vitest's own choice leaves one core idle, which of two is half of them
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          // A worker loads a module once and not once a test file: a fifth of the time. A file that mocks one resets them before and
          // after itself.
          isolate: false,
          unstubGlobals: true,
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [
            "test/e2e/**",
            "test/shared/**",
            "test/models/**",
            "test/kills/**",
            "test/compare-builds/compare.test.ts",
          ],
        },
      },
      {
        test: {
          ...common,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 240_000,
        },
      },
      { test: { ...common, name: "shared", include: ["test/shared/**/*.test.ts"], testTimeout: 600_000 } },
      { test: { ...common, name: "builds", include: ["test/compare-builds/compare.test.ts"] } },
      { test: { ...common, name: "kills", include: ["test/kills/**/*.test.ts"] } },
      {
        test: {
          ...common,
          name: "models",
          include: ["test/models/**/*.test.ts"],
          testTimeout: 1_200_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
