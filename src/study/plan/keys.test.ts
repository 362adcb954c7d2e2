/**
 * Studies made before go on: the same study asks for the same steps under the same keys, in the same folders. `keys.json` has them as
 * version 0.1 computed them, for every scale of every study of the package and for one that has whatever a study can have.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Study, studySchema } from "../../records/study-file.js";
import { sha256 } from "../../util/files.js";
import { packageRoot } from "../../util/system.js";
import { epochsOf, modelsOf } from "./arms.js";
import { buildGraph } from "./graph.js";
import { armKey } from "./graph-builder.js";
import { wantedInputs } from "./inputs.js";
import { loadStudy } from "./read.js";
import type { Inputs } from "./sources.js";

const everything: Study = studySchema.parse({
  version: 1,
  name: "everything",
  about: "x",
  models: { a: { path: "/m/a", tune: { lr: 1e-4 } }, b: { path: "/m/b" } },
  data: { rows: "lima:/d/rows.jsonl", task: "gsm8k:/d/task.jsonl", prompts: "/d/p.json", outs: "/d/o.json" },
  template: { user_tag: "<|A|>", bos: "never" },
  arms: {
    instruction: { kind: "instruction", data: "rows", tune: { limit: 8, checkpoint_every: 2 } },
    response: { kind: "response", data: "rows", template: { assistant_tag: "<|B|>" }, models: ["a"] },
    narrow: { kind: "single-task", data: "task", seeds: [1], epochs: [2], generation: { temperature: 0.5, seed: 3 } },
    rules: { kind: "rules", rules: "/r/rules.yaml", disable: ["eos"], generation: { batch: 2 } },
    untuned: { kind: "untuned", published: { "Llama-2-7B": { mean: 2.4, sd: 0.1 } } },
  },
  seeds: [1, 2],
  epochs: [1, 3],
  epochs_from: "checkpoints",
  tune: { batch: 4, micro_tokens: 64, skip_empty: true },
  selection: {
    measure: "win_rate",
    prompts: "prompts",
    limit: 4,
    baseline: "outs",
    seeds: [1],
    generation: { batch: 3 },
  },
  generation: { prompts: "prompts", limit: "all", max_new_tokens: 8, batch: 4 },
  judge: "/j/judge.yaml",
  length_control: { fit: "minimal", data: "/lc" },
  comparisons: [
    { arm: ["response", "untuned", "rules"], against: "instruction" },
    { arm: "narrow", against: "untuned" },
  ],
  analyses: [
    { kind: "ranking", data: "rows", against: 3, max_length: 64 },
    { kind: "similarity", encoder: "/e/encoder", pooling: "cls", prefix: "q: ", reference: "rows", limit: 5 },
    { kind: "similarity", name: "served", encoder: "http://127.0.0.1:1/v1#e", arms: ["response"], statistic: "max" },
  ],
});

/** Inputs that need no file: a hash follows from role and name. */
function named(study: Study): Inputs {
  const wanted = wantedInputs(study, { studyFolder: "/s", dataFolder: "/d" });
  const all = wanted.map((one) => ({ ...one, hash: sha256(`${one.role} ${one.name}`) }));
  return {
    all,
    get: (role, name) => all.find((one) => one.role === role && one.name === name)!,
  };
}

/** Reasons whose words have changed since version 0.1, which is what the digests were made of. */
const asSaidBefore: Readonly<Record<string, string>> = {
  "no encoder was named": "no encoder was named (--encoder DIR)",
  "no judge was named": "no judge was named (--judge FILE)",
};

/** Of all steps: id, kind, key, folder, what they need, cell; before any choice of epochs and with the last number chosen everywhere. */
function digests(study: Study): object {
  const inputs = named(study);
  const settings = { tacit: "0.1.0", engine: "embedded", threads: 2 };
  const chosen = Object.entries(study.arms).flatMap(([name, arm]) =>
    modelsOf(study, arm).flatMap((model) => {
      const last = epochsOf(study, arm).at(-1);
      return last === undefined ? [] : [[armKey(model, name), last] as const];
    }),
  );
  const digest = (choices: ReadonlyMap<string, number>): string => {
    const { steps, cells, leftOut: now } = buildGraph({ study, inputs, settings, choices });
    const leftOut = now.map(({ what, reason }) => ({ what, reason: asSaidBefore[reason] ?? reason }));
    const told = steps.map(({ id, kind, needs, cell, plan }) => ({
      ...{ id, kind, needs, cell: cell ?? null },
      ...{ key: plan?.key ?? null, folder: plan?.folder ?? null, request: plan?.request ?? null },
    }));
    return `${steps.length} ${sha256(JSON.stringify({ told, cells, leftOut }))}`;
  };
  return { open: digest(new Map()), chosen: digest(new Map(chosen)) };
}

const recorded = JSON.parse(
  readFileSync(join(packageRoot(), "test", "fixtures", "study", "keys.json"), "utf8"),
) as Readonly<Record<string, object>>;

const shipped = readdirSync(join(packageRoot(), "studies")).map((name) => name.replace(/\.yaml$/, ""));

describe("keys of steps", () => {
  it.each(shipped)("of %s are those of version 0.1", async (name) => {
    const { scales } = await loadStudy(name);
    const found: Record<string, object> = {};
    for (const scale of [...scales, undefined]) {
      const { study } = await loadStudy(name, scale);
      found[scale === undefined ? name : `${name}, ${scale}`] = digests({
        ...study,
        judge: study.judge ?? "/j/judge.yaml",
      });
    }
    const before = Object.entries(recorded).filter(([key]) => key === name || key.startsWith(`${name}, `));
    expect(found).toEqual(Object.fromEntries(before));
  });
  it("of a study with everything are those of version 0.1", () => {
    expect(digests(everything)).toEqual(recorded.everything);
  });
});
