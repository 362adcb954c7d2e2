import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { studySchema } from "../../records/study-file.js";
import type { StudyFolder } from "../read.js";
import { gain } from "./gain.js";

const files = temporaryFolder();

/** By arm, then by the baseline's seed: preferences on four prompts. */
type Verdicts = Readonly<Record<string, Readonly<Record<number, readonly (number | null)[]>>>>;

function studyOf(verdicts: Verdicts): StudyFolder {
  const comparisons = Object.entries(verdicts).map(([arm, seeds]) => {
    const pairs = Object.entries(seeds).map(([seed, preferences]) => {
      const annotations = `steps/${arm}-${seed}/annotations.json`;
      mkdirSync(dirname(files.path(annotations)), { recursive: true });
      const rows = preferences.map((preference, i) => ({ instruction: `prompt ${i}`, preference }));
      writeFileSync(files.path(annotations), JSON.stringify(rows));
      return { seed: arm === "untuned" ? null : Number(seed), against_seed: Number(seed), annotations };
    });
    return { model: "base", arm, against: "instruction", pairs };
  });
  const study = studySchema.parse({
    version: 1,
    name: "s",
    about: "x",
    models: { base: { path: "base" } },
    data: { d: "d.jsonl" },
    arms: {
      untuned: { kind: "untuned" },
      response: { kind: "response", data: "d" },
      instruction: { kind: "instruction", data: "d" },
    },
  });
  return { folder: files.path("."), record: { study }, results: { comparisons } } as unknown as StudyFolder;
}

const rowsOf = async (verdicts: Verdicts) => {
  const table = (await gain(studyOf(verdicts)))?.blocks.flatMap((block) =>
    block.kind === "table" ? [block.table] : [],
  )[0];
  return table?.rows.map((row) => Object.fromEntries(table.columns.map(({ key }, i) => [key, row[i]?.value])));
};

it("subtracts the untuned model's preference of the same prompt and seed", async () => {
  // seed 1: +100, +50, 0, 0 of four prompts; seed 2: +100, 0, 0, +50
  const rows = await rowsOf({
    untuned: { 1: [1, 1, 2, 1], 2: [1, 1, 2, 1] },
    response: { 1: [2, 1.5, 2, 1], 2: [2, 1, 2, 1.5] },
  });
  expect(rows).toHaveLength(1);
  expect(rows?.[0]).toMatchObject({ arm: "response", difference: 37.5, prompts: 4 });
  expect(rows?.[0]?.low).toBeLessThan(0); // four prompts tell little
  expect(rows?.[0]?.high).toBeGreaterThan(75);
  expect(rows?.[0]?.high).toBeLessThanOrEqual(100); // and no win rate can differ by more
});

it("is of the prompts that both have a verdict on", async () => {
  const rows = await rowsOf({ untuned: { 1: [1, null, 1, 2] }, response: { 1: [2, 2, null, 2] } });
  expect(rows?.[0]).toMatchObject({ difference: 50, prompts: 2 });
});

it("has no interval of too few pairs, says how many, and its axis ends where differences do", async () => {
  const blocks =
    (await gain(studyOf({ untuned: { 1: [1, 2, 1] }, response: { 1: [2, 1, 2] }, rules: { 1: [2, 2, 2] } })))?.blocks ??
    [];
  const cells = blocks.flatMap((block) => (block.kind === "table" ? block.table.rows.map((row) => row[1]?.text) : []));
  expect(cells).toContain("33.3 (3 pairs: too few for an interval)");
  const wide = await gain(studyOf({ untuned: { 1: [1, 2, 1, 2] }, response: { 1: [2, 1, 2, 1] } }));
  const axis = wide?.blocks.flatMap((block) => (block.kind === "figure" ? [block.figure.svg] : [])).join("") ?? "";
  expect(axis).not.toMatch(/>1[1-9]0<|>200</);
});

it("is left out without an untuned model among the arms that are compared", async () => {
  expect(await gain(studyOf({ response: { 1: [1, 2] } }))).toBeUndefined();
  expect(await gain(studyOf({ untuned: { 1: [1, 2] } }))).toBeUndefined();
});
