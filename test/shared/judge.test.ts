/** Stored answers of AlpacaEval 2's judge, and the order in which it saw 805 pairs. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { annotatePair } from "../../src/judge/annotate.js";
import { isSwitched } from "../../src/judge/order.js";
import { verdictOf } from "../../src/judge/verdict.js";
import { readCompletion } from "../../src/openai/completion.js";
import { judgeSchema, type OpenaiJudge } from "../../src/records/judge-file.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "shared", "alpaca-eval");
const reason = existsSync(root) ? "" : ` (skipped: ${root} is not there)`;

interface Sample {
  readonly promptIndex: number;
  readonly generated: string;
  readonly top: readonly (readonly [string, number])[];
  readonly switched: boolean;
  readonly preference: number;
}

const judge = judgeSchema.parse({
  kind: "openai",
  base_url: "http://127.0.0.1/v1",
  model: "m",
  verdict: "logprobs",
  order: "alpaca_eval",
}) as OpenaiJudge;

/** The body that the official judge sent for a stored answer. */
const bodyOf = ({ generated, top }: Sample): unknown => ({
  choices: [
    {
      finish_reason: "length",
      message: { role: "assistant", content: generated },
      logprobs: { content: [{ token: generated, top_logprobs: top.map(([token, logprob]) => ({ token, logprob })) }] },
    },
  ],
});

describe.skipIf(reason !== "")(`AlpacaEval 2's judge${reason}`, () => {
  const prompts = JSON.parse(readFileSync(join(root, "prompts.json"), "utf8")) as {
    readonly instruction: string;
    readonly switched: boolean;
  }[];

  it("sees all 805 pairs in the published order", () => {
    expect(prompts.length).toBe(805);
    expect(prompts.map(({ instruction }) => isSwitched(instruction))).toEqual(prompts.map(({ switched }) => switched));
    expect(prompts.filter(({ switched }) => switched).length).toBeGreaterThan(300); // neither order is the rule
  });

  it("gives the stored preference for all 192 answers", () => {
    const samples = readFileSync(join(root, "judge-samples.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Sample);
    expect(samples.length).toBe(192);
    expect(
      samples.filter(({ top }) => !["m", "M"].every((marker) => top.some(([token]) => token === marker))).length,
    ).toBe(8);
    const errors = samples.map((sample) => {
      const { instruction } = prompts[sample.promptIndex]!;
      expect(isSwitched(instruction)).toBe(sample.switched);
      const verdict = verdictOf(readCompletion(bodyOf(sample))!, judge);
      const pair = { instruction, dataset: undefined, baseline: "a", model: "b" };
      const { preference } = annotatePair(
        { ...pair, calls: [{ key: "k", switched: sample.switched, vote: 0 }] },
        judge,
        { baseline: "base", model: "model", annotator: "a" },
        () => ({ verdict, replied: true, choice: null, usage: undefined, server: "" }),
      );
      return Math.abs(preference! - sample.preference);
    });
    expect(Math.max(...errors)).toBeLessThan(1e-9); // stored to 10 decimals
  });
});
