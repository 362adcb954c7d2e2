import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { winrateEntry } from "../../../test/winrate-entry.js";
import { studySchema } from "../../records/study-file.js";
import type { StudyFolder } from "../read.js";
import { ablation } from "./ablation.js";

const files = temporaryFolder();

/** Rules against instruction, with verdicts on eight prompts: all of them, and without one. */
function studyOf(verdicts: Readonly<Record<string, readonly (number | null)[]>>): StudyFolder {
  const rate = { seeds: [], mean: 50, sd: null, interval: { estimate: 50, low: 40, high: 60, n: 8, method: "a test" } };
  const comparisons = Object.entries(verdicts).map(([arm, preferences]) => {
    const annotations = `steps/${arm}/annotations.json`;
    mkdirSync(dirname(files.path(annotations)), { recursive: true });
    const rows = preferences.map((preference, i) => ({ instruction: `prompt ${i}`, preference }));
    writeFileSync(files.path(annotations), JSON.stringify(rows));
    return {
      model: "base",
      arm,
      against: "plain",
      pairs: [{ annotations, summary: winrateEntry() }],
      win_rate: rate,
      length_controlled: null,
    };
  });
  const study = studySchema.parse({
    version: 1,
    name: "s",
    about: "x",
    models: { base: { path: "base" } },
    data: {},
    arms: {
      plain: { kind: "untuned" },
      rules: { kind: "rules" },
      "without-eos": { kind: "rules", disable: ["eos"] },
    },
  });
  return { folder: files.path("."), record: { study }, results: { comparisons } } as unknown as StudyFolder;
}

it("takes the difference to all rules on the prompts that both have a verdict on, with an interval", async () => {
  // on seven common prompts: 5 of 7 against 2 of 7
  const section = await ablation(
    studyOf({ rules: [2, 2, 2, 2, 2, 1, 1, 2], "without-eos": [2, 2, 1, 1, 1, 1, 1, null] }),
  );
  const table = section?.blocks.flatMap((block) => (block.kind === "table" ? [block.table] : []))[0];
  const row = (i: number) => Object.fromEntries(table!.columns.map(({ key }, j) => [key, table!.rows[i]![j]!.value]));
  expect(row(0)).toMatchObject({ arm: "rules", left_out: "none", difference: null });
  expect(row(1)).toMatchObject({ arm: "without-eos", left_out: "eos", win_rate: 50 });
  expect(row(1).difference).toBeCloseTo((100 * (2 - 5)) / 7, 4);
  expect(row(1).difference_low).toBeLessThan(row(1).difference as number);
  expect(row(1).difference_high).toBeGreaterThan(row(1).difference as number);
});

it("has a block for every model, each with all rules of its own", async () => {
  const study = studyOf({ rules: [2, 2, 1, 1], "without-eos": [2, 1, 1, 1] });
  const others = study.results.comparisons.map((one) => ({ ...one, model: "other" }));
  const both = { ...study, results: { ...study.results, comparisons: [...study.results.comparisons, ...others] } };
  const blocks = (await ablation(both))?.blocks ?? [];
  expect(blocks.flatMap((block) => (block.kind === "table" ? [block.table.id] : []))).toEqual([
    "ablation-base-rules-plain",
    "ablation-other-rules-plain",
  ]);
});

it("is left out where no rule is", async () => {
  expect(await ablation(studyOf({ rules: [2, 1] }))).toBeUndefined();
});
