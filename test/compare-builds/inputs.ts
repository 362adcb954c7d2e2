/** The files that the commands begin with: models, data, outputs, judges, a study. Each comparison gets them from this checkout. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { modelNames, modelsFolder } from "../parity/fixtures.js";
import { smallGguf } from "../small-gguf.js";
import { repositoryRoot } from "../staged-package.js";

const EVERY = `version: 1
name: every
about: Every kind of step, once.
models: { base: { path: llama-tied } }
data: { answers: answers.jsonl, prompts: prompts.jsonl, base: validation-base.json }
arms:
  response: { kind: response, data: answers, about: on responses }
  instruction: { kind: instruction, data: answers, tune: { lr: 2e-3 } }
  narrow: { kind: single-task, data: answers, epochs: [1], seeds: [1] }
  rules: { kind: rules, rules: rules.yaml, disable: [often] }
  untuned: { kind: untuned }
seeds: [1, 2]
epochs: [1, 2]
epochs_from: checkpoints
tune: { batch: 3, lr: 1e-3, limit: 6, checkpoint_every: 1, hold_out: 1, reduction: reference }
selection: { measure: win_rate, prompts: prompts, baseline: base, limit: 3, seeds: [1] }
generation: { prompts: prompts, limit: 4, max_new_tokens: 6 }
judge: judge.yaml
comparisons: [{ arm: [response, narrow, rules, untuned], against: instruction }]
analyses:
  - { kind: ranking, data: answers, arms: [untuned, response], limit: 3, against: 1 }
  - { kind: similarity, task: answers, reference: answers, arms: [narrow, untuned], encoder: bert, limit: 4 }
`;

const RULES = `version: 1
name: own
rules:
  - { name: end, kind: eos_ramp, score: 4, tokens: 12, after: hold }
  - { name: often, kind: token_scores, scores: { "a": -2, "the": 1 } }
  - { name: once, kind: used_tokens, score: -1.5, scope: conversation }
`;

/** Writes `in/` below the folder. */
export function writeInputs(folder: string, url: string): void {
  const inputs = join(folder, "in");
  mkdirSync(join(folder, "out"), { recursive: true });
  mkdirSync(inputs);
  const copy = (from: string, to: string): void => cpSync(from, join(inputs, to), { recursive: true });
  const write = (name: string, data: string | Uint8Array): void => writeFileSync(join(inputs, name), data);
  const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  const assets = join(repositoryRoot, "assets");
  for (const name of modelNames) copy(join(modelsFolder, name), name);
  for (const name of ["bert", "nomic-bert"]) copy(join(modelsFolder, "encoders", name), name);
  copy(join(assets, "stories260k"), "stories260k");
  for (const name of ["answers.jsonl", "prompts.jsonl"]) copy(join(assets, "tiny", name), name);
  for (const name of ["annotations.json", "folds.json"])
    copy(join(repositoryRoot, "test", "fixtures", "winrate", name), name);
  write("small.gguf", smallGguf());
  write("rules.yaml", RULES);
  write("every.yaml", EVERY);
  write("lines.txt", "Where is the mill?\nWho made the bridge?\n\n  What is a lamp?  \n");
  const turn = (role: string, content: string) => ({ role, content });
  write(
    "dialogues.jsonl",
    lines([
      {
        id: "d1",
        messages: [
          turn("user", "What is a dog?"),
          turn("assistant", " A dog is an animal. "),
          turn("user", "And a cat?"),
          turn("assistant", "So is a cat."),
        ],
      },
      { id: "d2", messages: [turn("user", "Say nothing of it."), turn("assistant", "Nothing of it.")] },
      { messages: [turn("user", "Where?"), turn("assistant", "Là-bas, à côté du café ☕.")] },
    ]),
  );
  write(
    "ids.jsonl",
    lines(
      Array.from({ length: 9 }, (_, i) => ({
        id: `i${i}`,
        prompt_ids: [1, 5 + (i >> 1), 9],
        response_ids: [4, 7 + i, 2],
      })),
    ),
  );
  const outputs = (generator: string, words: (i: number) => string): string =>
    JSON.stringify(
      Array.from({ length: 9 }, (_, i) => ({ instruction: `What is ${i}?`, output: words(i), generator })),
    );
  write(
    "mine.json",
    outputs("mine", (i) => (i === 3 ? "" : "so ".repeat(1 + i))),
  );
  write(
    "mine-2.json",
    outputs("mine", (i) => "or ".repeat(2 + i)),
  );
  write(
    "other.json",
    outputs("other", (i) => "as ".repeat(1 + ((5 * i) % 9))),
  );
  write(
    "base.json",
    outputs("base", (i) => (i === 8 ? "so ".repeat(9) : "so ".repeat(9 - i))),
  );
  write("validation-base.json", outputsFor(join(assets, "tiny", "prompts.jsonl")));
  const server = (path: string): string => `kind: openai\nbase_url: ${url}${path}\nmodel: a-judge\n`;
  const limits = "limits: { backoff_seconds: 0.01, concurrency: 1 }\n"; // the order of replies follows
  write("judge.yaml", `${server("/v1")}verdict: logprobs\n${limits}`);
  write("flaky.yaml", `${server("/flaky/v1")}verdict: logprobs\n${limits}`);
  write("sampled.yaml", `${server("/v1")}verdict: sampled\nvotes: 2\norder: alpaca_eval\n${limits}`);
  write("completions.yaml", `${server("/v1")}verdict: logprobs\napi: completions\n${limits}`);
  write("prices.yaml", "a-judge: { input: 2.5, output: 10 }\n");
  glass(join(assets, "glasshouse-data", "test.jsonl"), write);
}

const rowsOf = (path: string): unknown[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);

function outputsFor(prompts: string): string {
  const asked = rowsOf(prompts) as { readonly instruction: string }[];
  return JSON.stringify(asked.map(({ instruction }, i) => ({ instruction, output: `It is ${i}.`, generator: "base" })));
}

function glass(test: string, write: (name: string, data: string) => void): void {
  const rows = (rowsOf(test) as { readonly instruction: string; readonly response: string }[]).slice(0, 6);
  const outputs = (generator: string, answer: (response: string) => string): string =>
    JSON.stringify(rows.map(({ instruction, response }) => ({ instruction, output: answer(response), generator })));
  write("glass.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  write(
    "glass.json",
    outputs("mine", (response) => response),
  );
  write(
    "glass-base.json",
    outputs("base", (response) => response.slice(0, 40)),
  );
}
