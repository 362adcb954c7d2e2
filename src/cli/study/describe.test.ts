/** What a person reads of a study's results. */
import { describe, expect, it } from "vitest";
import { winrateEntry } from "../../../test/winrate-entry.js";
import type { ComparisonResult, StepEntry, StudyResults } from "../../records/study.js";
import { describeOutcome, problems } from "./describe.js";

const interval = { estimate: 50, low: 40, high: 60, n: 4, method: "" };
const pair = (seed: number): ComparisonResult["pairs"][number] => ({
  ...{ seed, epochs: 1, against_seed: seed, against_epochs: 1 },
  ...{ annotations: "steps/x/judge/annotations.json", summary: winrateEntry() },
});
const comparison: ComparisonResult = {
  ...{ model: "base", arm: "response", against: "instruction" },
  pairs: [pair(1), pair(2)],
  win_rate: { seeds: [], mean: 50, sd: 1, interval },
  length_controlled: null,
  published: null,
};
const failed: StepEntry = {
  ...{ id: "judge/x", kind: "judge", key: "", folder: null, needs: [], state: "failed" },
  ...{ reason: "no reply within 120 s", remedy: "run again to ask them" },
};
const results = (changes: Partial<StudyResults>): StudyResults => ({
  ...{ version: 1, name: "small", state: "failed", steps: [], cells: [], choices: [], comparisons: [] },
  ...{ rankings: [], similarities: [], left_out: [] },
  ...changes,
});

describe("results in words", () => {
  it("say of a comparison how many seeds it has, and how many prompts every one of them", () => {
    // the interval's n is the number of prompts already, however many seeds there are
    expect(describeOutcome(results({ comparisons: [comparison] }), "out")).toMatch(/ {2}2 × 4 *\n/);
  });
  it("say why a step failed and what to do", () => {
    expect(problems(results({ steps: [failed] }))).toBe(
      "failed: judge/x: no reply within 120 s; run again to ask them\n",
    );
  });
  it("name the file where there is one", () => {
    expect(describeOutcome(results({}), "out")).toContain("out/results.json\n");
    expect(describeOutcome(results({}), undefined)).toMatch(/^0 of 0 steps done\n$/);
  });
});
