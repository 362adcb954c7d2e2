/** The paper's six studies at their smallest scale, each from its file over the command to the page of its report. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StudyResults } from "../../src/records/study.js";
import { modelsFolder } from "../parity/fixtures.js";
import { type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

const folder = temporaryFolder();
const encoder = join(modelsFolder, "encoders", "bert");
let staged: StagedPackage;
beforeAll(() => {
  staged = stagePackage();
}, 240_000);
afterAll(() => staged.remove());

/** Arms of comparisons, and what the page has besides what every page has. */
const studies: Record<string, { readonly compared: readonly string[]; readonly sections: readonly string[] }> = {
  "response-tuning": {
    compared: ["response", "untuned"],
    sections: ["head-to-head", "ranking", "similarity"],
  },
  "single-task": {
    compared: ["mbpp", "gsm8k", "poetry", "recipes", "chess"],
    sections: ["head-to-head", "similarity"],
  },
  rules: {
    compared: ["rules", "rules-without-eos", "rules-without-diversity", "rules-without-uniform", "untuned"],
    sections: ["head-to-head", "ablation"],
  },
  ranking: { compared: [], sections: ["ranking"] },
  "role-tags": { compared: ["response", "response-ab"], sections: ["head-to-head"] },
  rephrasing: { compared: ["response", "response-rephrased"], sections: ["head-to-head"] },
};
const special = new Set(Object.values(studies).flatMap(({ sections }) => sections));

describe.each(Object.entries(studies))("%s --scale tiny", (name, { compared, sections }) => {
  const out = folder.path(name);

  it("is carried out to its end, and its report shows what it is about", () => {
    const options = ["--scale", "tiny", "--threads", "1", "--encoder", encoder, "--out", out, "--json"];
    const run = staged.tacit(["study", "run", name, ...options]);
    expect(run.status, run.stderr).toBe(0);
    const results = JSON.parse(readFileSync(join(out, "results.json"), "utf8")) as StudyResults;
    expect(results).toMatchObject({ name, state: "finished", left_out: [] });
    expect(results.comparisons.map(({ arm }) => arm)).toEqual(compared);
    for (const { win_rate, pairs } of results.comparisons) {
      const identical = pairs.every(({ summary }) => (summary.ledger as { judged: number }).judged === 0); // the same answer to every prompt is no rate
      expect(win_rate).toMatchObject({ interval: { n: identical ? 0 : 4 } }); // prompts
    }
    expect(results.choices.every(({ epochs }) => epochs.length === 2)).toBe(true);
    expect(results.rankings.length > 0).toBe(sections.includes("ranking"));
    expect(results.similarities.length > 0).toBe(sections.includes("similarity"));

    const page = join(out, "page");
    const report = staged.tacit(["report", out, "--out", page, "--json"]);
    expect(report.status, report.stderr).toBe(0);
    const html = readFileSync(join(page, "index.html"), "utf8");
    const found = [...html.matchAll(/<h2 id="([a-z-]+)"/g)].map(([, id]) => id ?? "");
    expect(found.filter((id) => special.has(id)).sort()).toEqual([...sections].sort());
    const answered = compared.length > 0 ? ["behaviour", "answers"] : [];
    for (const id of ["compared", "epochs", "training", ...answered, "provenance"]) expect(found).toContain(id);
    for (const arm of compared) expect(html).toContain(arm);
  });
});
