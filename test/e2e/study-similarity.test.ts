/** The analysis of similarity, from a study's file over its run to the page of the report: a small model, a small random encoder. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { report } from "../../src/report/report.js";
import type { StudyRequest } from "../../src/study/plan/flags.js";
import { planStudy } from "../../src/study/plan/plan.js";
import { prepareStudy } from "../../src/study/plan/prepare.js";
import { runStudy } from "../../src/study/run/run.js";
import { inlineRunner } from "../../src/study/run/runner.js";
import { modelsFolder } from "../parity/fixtures.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();
const assets = join(import.meta.dirname, "..", "..", "assets");
const study = folder.write(
  "study.yaml",
  `version: 1
name: style
about: Do answers keep the style that was tuned on?
models: { base: { path: ${JSON.stringify(join(assets, "stories260k"))} } }
data: { answers: ${JSON.stringify(join(assets, "tiny", "answers.jsonl"))}, prompts: ${JSON.stringify(join(assets, "tiny", "prompts.jsonl"))} }
arms:
  narrow: { kind: single-task, data: answers }
  untuned: { kind: untuned }
epochs: [1]
tune: { batch: 4, lr: 3e-3, reduction: token, limit: 4, max_length: 64 }
generation: { prompts: prompts, limit: 3, max_new_tokens: 6 }
analyses:
  - { kind: similarity, task: answers, reference: answers, arms: [narrow, untuned], limit: 5 }
`,
);
const request: StudyRequest = {
  study,
  out: folder.path("out"),
  encoder: join(modelsFolder, "encoders", "bert"),
  threads: 1,
};
const carryOut = async (changes: Partial<StudyRequest> = {}) => {
  const prepared = await prepareStudy({ ...request, ...changes });
  const begun: string[] = [];
  const runner = inlineRunner({ root: prepared.folder.root, computing: { threads: 1 } });
  const results = await runStudy(prepared, runner, { onStep: ({ id }) => void begun.push(id) });
  return { results, begun };
};
const read = (...names: string[]): string => readFileSync(join(folder.path("out"), ...names), "utf8");

describe("similarity in a study", () => {
  let first: Awaited<ReturnType<typeof carryOut>>;
  beforeAll(async () => {
    first = await carryOut();
  }, 240_000);

  it("places the answers of every arm, and embeds shared texts once", () => {
    const { results } = first;
    expect(results.left_out).toEqual([]);
    expect(results.steps.filter(({ state }) => state !== "done")).toEqual([]);
    expect(results.similarities.map(({ arm, seed, name }) => [arm, seed, name])).toEqual([
      ["narrow", 1, "similarity"],
      ["untuned", null, "similarity"],
    ]);
    const summaries = results.similarities.map(({ summary }) => JSON.parse(read(summary)));
    for (const summary of summaries) {
      expect(summary).toMatchObject({ outputs: { n: 3 }, task: { examples: 5 }, reference: { examples: 5 } });
      expect(summary.mean_y.estimate).toBeCloseTo(0, 8); // the task is the reference
      expect(Math.abs(summary.mean_x.estimate)).toBeLessThanOrEqual(1);
    }
    const reused = summaries.map(({ texts }) => texts.reused); // the second one finds the three questions and the task's texts
    expect(Math.max(...reused)).toBeGreaterThan(Math.min(...reused) + 7);
    for (const { totals } of results.similarities) expect(totals.mean_y).toMatchObject({ n: 3 });
  });

  it("has nothing left to do afterwards, and does only the similarities again for another encoder", async () => {
    expect((await carryOut()).begun).toEqual([]);
    const { steps, totals } = await planStudy(await prepareStudy(request));
    expect(steps.every(({ state }) => state === "done")).toBe(true);
    expect(totals.seconds).toBe(0);
    const other = await prepareStudy({ ...request, encoder: join(modelsFolder, "encoders", "nomic-bert") });
    const left = (await planStudy(other)).steps.filter(({ forecast }) => forecast !== undefined);
    expect(left.map(({ step }) => step.kind)).toEqual(["similarity", "similarity"]);
    for (const { forecast } of left) expect(forecast?.seconds).toBeGreaterThan(0);
  });

  it("is in the report: a scatter, its table, and extremes in words", async () => {
    const summary = await report({ study: folder.path("out"), out: folder.path("page") });
    expect(summary.figures).toContain("figures/similarity.svg");
    const table = readFileSync(join(folder.path("page"), "tables", "similarity.csv"), "utf8")
      .trimEnd()
      .split("\r\n");
    expect(table.map((line) => line.split(",")[0])).toEqual(["arm", '"narrow', "untuned"]);
    const page = readFileSync(join(folder.path("page"), "index.html"), "utf8");
    expect(page).toContain("the instruction nearest to the task");
    expect(page.match(/class="series-1 mark"/g)?.length).toBeGreaterThanOrEqual(3);
    expect(page).toContain("pooled by mean");
  });

  it("is left out with the reason where no encoder is named", async () => {
    const { encoder: _, ...without } = request;
    const { leftOut } = await planStudy(await prepareStudy({ ...without, out: folder.path("without") }));
    expect(leftOut.map(({ reason }) => reason)).toEqual(["no encoder was named", "no encoder was named"]);
    expect(existsSync(folder.path("without"))).toBe(false);
  });
});
