import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { packageRoot } from "../util/system.js";
import { planStudy } from "./plan.js";
import { prepareStudy } from "./prepare.js";

const folder = temporaryFolder();
const asset = (...names: string[]): string => JSON.stringify(join(packageRoot(), "assets", ...names));

/** `limits`: on every set that has one to give, or on none. */
const planned = async (name: string, limits: boolean) => {
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
judge: longer
comparisons: [{ arm: untuned, against: instruction }]
analyses: [{ kind: ranking, data: rows, against: 2${limit} }]
`,
  );
  return planStudy(await prepareStudy({ study, out: folder.path(name), threads: 1 }));
};

describe("a plan", () => {
  it("takes whole sets where no limit is set, and less where one is", async () => {
    const [whole, part] = [await planned("whole", false), await planned("part", true)];
    expect(whole.steps.map(({ step }) => step.id)).toEqual(part.steps.map(({ step }) => step.id));
    expect(part.totals.calls).toBe(8); // 4 prompts, in both orders
    expect(whole.totals.calls).toBeGreaterThan(part.totals.calls);
    expect(part.assumed).toEqual(["base/instruction"]);
    for (const { forecast } of whole.steps) expect(forecast?.seconds ?? 0).toBeGreaterThanOrEqual(0);
  });
});
