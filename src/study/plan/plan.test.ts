import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { packageRoot } from "../../util/system.js";
import { obstaclesOf, planStudy, refuseImpossible } from "./plan.js";
import { prepareStudy } from "./prepare.js";

const folder = temporaryFolder();
const asset = (...names: string[]): string => JSON.stringify(join(packageRoot(), "assets", ...names));

const server = folder.write(
  "server.yaml",
  `version: 1
name: server
kind: openai
base_url: http://127.0.0.1:9/v1
model: m
verdict: sampled
price: { input: 1, output: 2 }
`,
);

/** `limits`: on every set that has one to give, or on none. */
const prepared = async (name: string, limits: boolean, judge = server) => {
  const limit = limits ? ", limit: 4" : "";
  const study = folder.write(
    `${name}.yaml`,
    `version: 1
name: ${name}
about: x
models: { base: { path: ${asset("stories260k")} } }
data: { rows: ${asset("tiny", "answers.jsonl")}, prompts: ${asset("tiny", "prompts.jsonl")} }
arms: { instruction: { kind: instruction, data: rows }, untuned: { kind: untuned } }
seeds: [1]
epochs: [1, 2]
epochs_from: checkpoints
tune: { batch: 4${limit} }
selection: { measure: loss, data: rows${limit} }
generation: { prompts: prompts, max_new_tokens: 8${limit} }
judge: ${JSON.stringify(judge)}
comparisons: [{ arm: untuned, against: instruction }]
analyses: [{ kind: ranking, data: rows, against: 2${limit} }]
`,
  );
  return prepareStudy({ study, out: folder.path(name), threads: 1 });
};
const planned = async (...what: Parameters<typeof prepared>) => planStudy(await prepared(...what));

describe("a plan", () => {
  it("takes whole sets where no limit is set, and less where one is", async () => {
    const [whole, part] = [await planned("whole", false), await planned("part", true)];
    expect(whole.steps.map(({ step }) => step.id)).toEqual(part.steps.map(({ step }) => step.id));
    expect(part.totals).toMatchObject({ calls: 8, dollars: expect.any(Number) as number }); // 4 prompts, in both orders
    expect(whole.totals.calls).toBeGreaterThan(part.totals.calls);
    expect(part.assumed).toEqual(["base/instruction"]);
    for (const { forecast } of whole.steps) expect(forecast?.seconds ?? 0).toBeGreaterThanOrEqual(0);
  });

  it("counts no calls of a judge that is computed here", async () => {
    expect((await planned("computed", true, "longer")).totals).toMatchObject({ calls: 0, dollars: undefined });
  });

  it("takes the lengths of answers that exist, of a whole set too", async () => {
    const ready = await prepared("measured", false);
    const before = await planStudy(ready);
    const arm = before.steps.find(({ step }) => step.kind === "generate" && step.cell?.arm === "untuned")!;
    expect(arm.forecast).toMatchObject({ atMost: true }); // 8 tokens an answer
    const text = await readFile(join(packageRoot(), "assets", "tiny", "prompts.jsonl"), "utf8");
    const prompts = text.trim().split("\n").length;
    const plan = arm.step.plan!;
    await ready.folder.writeStep(plan.folder, {
      ...{ version: 1, kind: "generate", key: plan.key, request: {}, outcome: { kind: "done" } },
      timings: { seconds: 1, finished: "", work: 2 * prompts, unit: "tokens", resumed: false },
    });
    const dollars = ({ steps }: typeof before) => steps.find(({ step }) => step.kind === "judge")!.forecast!.dollars!;
    // 6 tokens less an answer, read in both orders, at a dollar a million
    expect(1e6 * (dollars(before) - dollars(await planStudy(ready)))).toBeCloseTo(2 * 6 * prompts, 6);
  });
});

describe("what the judge will cost", () => {
  it("is a bound, and beside it what it comes to with answers and replies of a common length", async () => {
    const { totals } = await planned("priced", true);
    expect(totals.likelyDollars).toBeGreaterThan(0);
    expect(totals.likelyDollars).toBeLessThanOrEqual(totals.dollars!);
  });
});

describe("what a machine does not have", () => {
  it("is refused before anything is begun", async () => {
    const ready = await prepared("no-memory", false);
    const memory = { total: 2e6, free: 2e6, limit: "machine" } as const; // the model has 260 thousand parameters
    await expect(refuseImpossible(ready, memory)).rejects.toThrow(/largest step needs .* of memory/);
    await refuseImpossible(ready, { ...memory, total: 2e9 });
    expect(existsSync(ready.folder.root)).toBe(false);
  });

  const all = { memoryBytes: 157e9, diskBytes: 674e9, diskFree: 66e9 };
  it("is said with what is needed, what there is, and a way out", () => {
    const [memory, disk] = obstaclesOf(all, { total: 24e9 });
    expect(memory).toMatch(/needs 157 GB of memory, and this machine has 24.0 GB; take a larger machine, fewer arms/);
    expect(disk).toMatch(/take 674 GB of disk, and 66.0 GB are free; .* another --out/);
    expect(obstaclesOf({ ...all, diskFree: 700e9 }, { total: 200e9 })).toEqual([]);
  });
});
