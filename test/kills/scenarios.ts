/**
 * Every command that writes, each with small inputs: what the kill campaign, the two writers and the full disk are tried on. A command
 * runs in a folder of its own and writes below it, under `out`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openJudgeServer } from "../judge-server.js";
import { modelFolder, modelsFolder } from "../parity/fixtures.js";
import { smallGguf } from "../small-gguf.js";
import { repositoryRoot } from "../staged-package.js";

/** Where the inputs lie. */
export interface Given {
  readonly path: (name: string) => string;
  /** Of the server that rephrases. */
  readonly rephraser: string;
  close(): Promise<void>;
}

export interface Scenario {
  readonly name: string;
  readonly args: (given: Given) => readonly string[];
  /** Added where the command is given again. */
  readonly again?: readonly string[];
  /** The scenario whose finished folder this one begins in. */
  readonly from?: string;
  /** In place of the command: a module of the package's root. It gets the arguments. */
  readonly module?: string;
  /** Much like another one: a sample kills it at its last rename alone. */
  readonly light?: true;
  /** Takes so long that only so many of its kill points are tried even at full size. */
  readonly atMost?: number;
}

const tiny = (name: string): string => join(repositoryRoot, "assets", "tiny", name);
const model = ["--model", modelFolder("llama-tied")];
const onModel = [...model, "--threads", "1"];
const encoder = join(modelsFolder, "encoders", "bert");
const generate = ["generate", ...onModel, "--prompts", tiny("prompts.jsonl"), "--limit", "3", "--out", "out.json"];
const tune = [
  ...[
    "tune",
    ...onModel,
    "--data",
    tiny("answers.jsonl"),
    "--objective",
    "response",
    "--limit",
    "8",
    "--hold-out",
    "2",
  ],
  ...["--epochs", "2", "--batch", "3", "--lr", "1e-3", "--checkpoint-every", "1", "--out", "out"],
];
const score = ["score", ...onModel, "--input", tiny("answers.jsonl"), "--limit", "4", "--out", "out.jsonl"];
const rank = ["rank", ...onModel, "--data", tiny("answers.jsonl"), "--limit", "3", "--against", "2", "--out"];
const rephrase = ["data", "rephrase", tiny("answers.jsonl"), "--limit", "6", "--out", "out.jsonl"];
const study = (given: Given): string[] => ["study", "run", given.path("study.yaml"), "--threads", "1", "--out", "out"];
const judge = (given: Given, by: string): string[] => [
  ...["judge", given.path("mine.json"), "--baseline", given.path("base.json"), "--judge", by, "--out", "out"],
];

/** A recipe that takes a second, which no flags of the command give. */
const PRETRAIN = `
import { runAction } from "./dist/cli/run-action.js";
import { pretrain } from "./dist/glasshouse/model/pretrain.js";
const shape = { hiddenSize: 16, layers: 1, heads: 2, innerSize: 32, maxPositions: 160 };
const tiny = { seed: 3, shape, rowTokens: 64, rowsAStep: 2, tokens: 600, vocabSize: 320, tokenizerPages: 30, heldOutRows: 2, facts: 2, threads: 1 };
await runAction({ json: false }, (io) => pretrain({ ...tiny, out: "out", checkpointEvery: 2 }, { signal: io.signal }));
`;

export const scenarios: readonly Scenario[] = [
  { name: "render", args: () => ["render", ...model, "--data", tiny("answers.jsonl"), "--out", "out.jsonl"] },
  { name: "generate", args: () => [...generate, "--max-new-tokens", "4"] },
  {
    name: "generate --trace",
    light: true,
    args: () => [...generate, "--max-new-tokens", "4", "--batch", "1", "--trace", "out.trace.jsonl"],
  },
  {
    name: "generate --force",
    light: true,
    from: "generate",
    args: () => [...generate, "--max-new-tokens", "5", "--force"],
  },
  { name: "score", args: () => score },
  { name: "rank", args: () => [...rank, "out"] },
  { name: "rank --out FILE", light: true, args: () => [...rank, "out.jsonl"] },
  {
    name: "similarity",
    args: (given) => [
      ...["similarity", given.path("mine.json"), "--task", tiny("answers.jsonl"), "--reference", tiny("answers.jsonl")],
      ...["--encoder", encoder, "--limit", "4", "--threads", "1", "--out", "out"],
    ],
  },
  { name: "data export", args: () => ["data", "export", tiny("answers.jsonl"), "--out", "out.jsonl"] },
  { name: "data rephrase --by overlap", light: true, args: () => rephrase },
  {
    name: "data rephrase --by llm",
    args: (given) => [
      ...[...rephrase, "--by", "llm", "--base-url", given.rephraser, "--llm", "m", "--concurrency", "1"],
    ],
  },
  { name: "tune", args: () => tune },
  { name: "tune --save-every-epoch", light: true, args: () => [...tune, "--save-every-epoch"], again: ["--resume"] },
  { name: "tune --force", light: true, from: "tune", args: () => [...tune, "--lr", "2e-3", "--force"] },
  { name: "judge by rule", light: true, args: (given) => judge(given, "longer") },
  { name: "judge by server", args: (given) => [...judge(given, given.path("judge.yaml")), "--concurrency", "1"] },
  { name: "models import", args: (given) => ["models", "import", given.path("small.gguf"), "--out", "out"] },
  {
    name: "models import --force",
    light: true,
    from: "models import",
    args: (given) => ["models", "import", given.path("small.gguf"), "--out", "out", "--dtype", "f16", "--force"],
  },
  { name: "glasshouse data", args: () => ["glasshouse", "data", "--rows", "20", "--out", "out"] },
  {
    name: "glasshouse data --force",
    light: true,
    from: "glasshouse data",
    args: () => ["glasshouse", "data", "--rows", "30", "--out", "out", "--force"],
  },
  {
    name: "glasshouse check",
    args: (given) => [
      ...["glasshouse", "check", "--outputs", given.path("glass.json"), "--prompts", given.path("glass.jsonl")],
      ...["--out", "out.jsonl"],
    ],
  },
  { name: "glasshouse pretrain", module: PRETRAIN, args: () => [] },
  { name: "study run", args: study },
  {
    name: "study clean --force",
    light: true,
    from: "study run",
    args: (given) => ["study", "clean", given.path("less.yaml"), "--threads", "1", "--out", "out", "--force"],
  },
  { name: "report", from: "study run", args: () => ["report", "out"] },
  { name: "report --force", light: true, from: "report", args: () => ["report", "out", "--force"] },
  { name: "demo", args: () => ["demo", "--quick", "--threads", "1", "--out", "out"], atMost: 4 },
];

const STUDY = `version: 1
name: killed
about: Every kind of step, once.
models: { base: { path: ${JSON.stringify(modelFolder("llama-tied"))} } }
data: { answers: ${JSON.stringify(tiny("answers.jsonl"))}, prompts: ${JSON.stringify(tiny("prompts.jsonl"))} }
arms:
  response: { kind: response, data: answers }
  untuned: { kind: untuned }
seeds: [1]
epochs: [1, 2]
epochs_from: checkpoints
tune: { batch: 2, lr: 1e-3, limit: 4, checkpoint_every: 1 }
selection: { measure: loss, data: answers, limit: 2 }
generation: { prompts: prompts, limit: 2, max_new_tokens: 4 }
judge: longer
comparisons: [{ arm: response, against: untuned }]
analyses: [{ kind: ranking, data: answers, arms: [untuned], limit: 2, against: 1 }]
`;

/** Writes the inputs into a folder and opens the servers that some commands ask. */
export async function openGiven(folder: string): Promise<Given> {
  const path = (name: string): string => join(folder, name);
  const write = (name: string, data: string | Uint8Array): void => writeFileSync(path(name), data);
  const outputs = (generator: string, words: (i: number) => string): string =>
    JSON.stringify(Array.from({ length: 4 }, (_, i) => ({ instruction: `${i}?`, output: words(i), generator })));
  const judging = await openJudgeServer();
  const rephrasing = await openRephraser();
  write(
    "mine.json",
    outputs("mine", (i) => "so ".repeat(1 + i)),
  );
  write(
    "base.json",
    outputs("base", (i) => "so ".repeat(4 - i)),
  );
  write("judge.yaml", `kind: openai\nbase_url: ${judging.url}\nmodel: a-judge\nverdict: logprobs\n`);
  write("small.gguf", smallGguf());
  write("study.yaml", STUDY);
  write("less.yaml", STUDY.replace(/^analyses: .*\n/m, "")); // its ranking is of no use any more
  const asked = join(repositoryRoot, "assets", "glasshouse-data", "test.jsonl");
  const rows = readFileSync(asked, "utf8")
    .split("\n")
    .slice(0, 5)
    .map((line) => JSON.parse(line) as { readonly instruction: string; readonly response: string });
  write("glass.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  write(
    "glass.json",
    JSON.stringify(rows.map(({ instruction, response }) => ({ instruction, output: response, generator: "mine" }))),
  );
  return {
    path,
    rephraser: rephrasing.url,
    async close() {
      await Promise.all([judging.close(), rephrasing.close()]);
    },
  };
}

/** A language model that finds every second exchange to restate its instruction, by the length of what it is asked. */
async function openRephraser(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      const prompt = (JSON.parse(text) as { messages: { content: string }[] }).messages[0]!.content;
      const content = prompt.includes("between <response>")
        ? `<response>\nrewritten ${prompt.length}\n</response>`
        : `So. #### ${prompt.length % 2 === 0 ? "YES" : "NO"}`;
      response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: "stop" }] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
