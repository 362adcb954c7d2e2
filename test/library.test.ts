/** The library's example: what the guide shows is what runs here. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { studyStatus } from "tacit-lm";
import { expect, it } from "vitest";
import { respond } from "../docs/examples/library.js";
import { carryOut } from "../docs/examples/study.js";
import { temporaryFolder } from "./temporary-folder.js";

const files = temporaryFolder();
const folder = files.path("library");
const assets = join(import.meta.dirname, "..", "assets");

it("runs the guide's example on the model in the package", async () => {
  const { run, output, score } = await respond("assets/stories260k", "assets/tiny/answers.jsonl", folder);
  expect(run.steps).toBe(15);
  expect(run.final_loss).toBeLessThan(2.5); // 4.3 before the first step
  expect(existsSync(join(folder, "tuned/model.safetensors"))).toBe(true);
  expect(output?.instruction).toBe("What is a bear?");
  expect(output?.tokens).toBeLessThanOrEqual(40);
  expect(score?.logprobs.length).toBe(score?.tokens);
  expect(score?.sum).toBeLessThan(0);
});

it("carries out a study from a script, and reports", async () => {
  const study = files.write(
    "study.yaml",
    `version: 1
name: scripted
about: Rules against none.
models: { base: { path: ${JSON.stringify(join(assets, "stories260k"))} } }
data: { prompts: ${JSON.stringify(join(assets, "tiny", "prompts.jsonl"))} }
arms: { untuned: { kind: untuned }, rules: { kind: rules } }
generation: { prompts: prompts, limit: 2, max_new_tokens: 6 }
judge: longer
comparisons: [{ arm: rules, against: untuned }]
`,
  );
  const { results, written } = await carryOut(study, files.path("scripted"));
  expect(results.state).toBe("finished");
  expect(results.comparisons.map(({ arm, pairs }) => [arm, pairs.length])).toEqual([["rules", 1]]);
  const request = { study, out: files.path("scripted/study") };
  expect((await studyStatus(request)).comparisons).toEqual(results.comparisons);
  expect(existsSync(join(written.out, written.html))).toBe(true);
});

it.each(["library", "study"])("the guide shows the text of %s.ts", (name) => {
  const code = readFileSync(`docs/examples/${name}.ts`, "utf8");
  expect(readFileSync("docs/guide/library.md", "utf8")).toContain(`\`\`\`ts\n${code}\`\`\``);
});
