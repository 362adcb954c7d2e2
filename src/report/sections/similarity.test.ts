import { mkdirSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { studySchema } from "../../records/study-file.js";
import type { StudyFolder } from "../read.js";
import { similarity } from "./similarity.js";

const files = temporaryFolder();

const estimate = { estimate: 0.5, low: 0.4, high: 0.6, n: 2, method: "a test" };
const LONG = "style ".repeat(500);

/** Arms and seeds, each with the hash of its task; the answers of a seed are as many as its number. */
function studyOf(cells: readonly (readonly [arm: string, seed: number, task: string])[]): StudyFolder {
  const similarities = cells.map(([arm, seed, task]) => {
    const folder = `${arm}-${seed}-${task}`;
    const point = { index: 0, instruction: "Why?", output: LONG, x: 0.1, y: 0.2, to_task: 0.2, to_reference: null };
    const points = Array.from({ length: seed }, () => point);
    mkdirSync(files.path(folder), { recursive: true });
    writeFileSync(files.path(`${folder}/points.jsonl`), points.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const summary = {
      ...{
        version: 1,
        command: "similarity",
        tacit: "0.0.0",
        dimensions: 3,
        prefix: "",
        statistic: "mean",
        seconds: 1,
      },
      outputs: { path: "o.json", hash: "0", generators: ["m"], n: seed, empty: 0 },
      task: { spec: "t.jsonl", hash: task, examples: 2 },
      reference: null,
      embedder: { kind: "server", base_url: "http://localhost", model: "small" },
      texts: { distinct: 2, computed: 2, reused: 0 },
      ...{ mean_x: estimate, mean_y: estimate, correlation: estimate },
      extremes: { highest_x: [point], median_x: [], lowest_x: [], highest_y: [], lowest_y: [] },
    };
    writeFileSync(files.path(`${folder}/summary.json`), JSON.stringify(summary));
    return {
      model: "base",
      arm,
      seed,
      epochs: 1,
      name: "similarity",
      step: folder,
      folder,
      summary: `${folder}/summary.json`,
    };
  });
  const study = studySchema.parse({
    ...{ version: 1, name: "s", about: "x", models: { base: { path: "base" } }, data: {}, arms: {} },
  });
  const inputs = ["poems", "games"].map((name) => ({ role: "data", name, path: name, hash: name[0] }));
  return { folder: files.path("."), record: { study, inputs }, results: { similarities } } as unknown as StudyFolder;
}

it("draws and quotes the first seed of every arm, cut, one plane a task, and has all in the table", async () => {
  const study = studyOf([
    ["poet", 2, "p"],
    ["poet", 1, "p"],
    ["player", 3, "g"],
  ]);
  const blocks = (await similarity(study))?.blocks ?? [];
  const figures = blocks.flatMap((block) => (block.kind === "figure" ? [block.figure] : []));
  expect(figures.map(({ id }) => id)).toEqual(["similarity-poems", "similarity-games"]);
  // a mark for each answer and one in the legend
  expect(figures.map(({ svg }) => svg.match(/ mark"/g)?.length)).toEqual([1 + 1, 3 + 1]);
  const [table] = blocks.flatMap((block) => (block.kind === "table" ? [block.table] : []));
  expect(table?.rows.map((row) => row.slice(0, 3).map(({ value }) => value))).toEqual([
    ["poet, seed 2", "poems", 2],
    ["poet, seed 1", "poems", 1],
    ["player, seed 3", "games", 3],
  ]);
  const quoted = blocks.flatMap((block) => (block.kind === "answers" ? [block.answers] : []));
  expect(quoted.map(({ why }) => why.split(":")[0])).toEqual(["poet, seed 1", "player, seed 3"]);
  for (const { answers } of quoted) expect(answers[0]?.text).toBe(`${LONG.slice(0, 2400)}… (600 characters more)`);
});
