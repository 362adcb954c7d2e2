import { expect, it } from "vitest";
import type { StudyFlags, StudyRecord } from "../records/study.js";
import { howToRepeat } from "./repeat.js";

const record = (source: Partial<StudyRecord["source"]>, flags: StudyFlags, scale: string | null = null) =>
  ({
    source: { path: "my studies/s.yaml", sha256: "0", ...source },
    ...{ scale, flags, settings: { engine: "embedded", threads: 2 } },
  }) as StudyRecord;

it("gives every flag that was given, quoted for a shell", () => {
  const flags: Required<StudyFlags> = {
    models: ["base=/given/model", "other=glasshouse"],
    data: ["b=alpaca:/given/it's.json"],
    data_dir: "/sets",
    judge: "/given/judge.yaml",
    encoder: "http://localhost:8080#small",
    seeds: [3, 1],
    lc_data: "/sets/lc",
  };
  expect(howToRepeat(record({}, flags, "short")).split(" \\\n  ")).toEqual([
    "tacit study run 'my studies/s.yaml'",
    "--scale short",
    "--model base=/given/model",
    "--model other=glasshouse",
    "--data-dir /sets",
    "--data 'b=alpaca:/given/it'\\''s.json'",
    "--judge /given/judge.yaml",
    "--encoder 'http://localhost:8080#small'",
    "--lc-data /sets/lc",
    "--seeds 3,1",
    "--threads 2",
    "--out DIR",
  ]);
});

it("names a study of the package, wherever the package lies, and no flag that was not given", () => {
  const shipped = record({ path: "/usr/lib/tacit-lm/studies/tiny.yaml", shipped: "tiny" }, {});
  expect(howToRepeat(shipped)).toBe("tacit study run tiny \\\n  --threads 2 \\\n  --out DIR");
});
