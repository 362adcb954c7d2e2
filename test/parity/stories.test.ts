/**
 * The trained model in the package against a float64 forward pass over its original file: the ids of a whole story, and the
 * log-probabilities of three texts. Log-probabilities: 1e-3, the noise of single precision over 256 positions being some 2e-5.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { embeddedEngine } from "../../src/embedded/embedded.js";
import type { OpenedModel } from "../../src/engine/opened.js";
import { loadTextModel } from "../../src/text/load.js";
import { sha256 } from "../../src/util/files.js";
import { repositoryRoot } from "../staged-package.js";
import { largestDifference } from "./fixtures.js";

interface Golden {
  readonly greedy: { readonly prompt_ids: readonly number[]; readonly ids: readonly number[] };
  readonly scoring: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly token_logprobs: readonly number[];
    readonly sum_logprob: number;
  }[];
}
const TOLERANCE = 1e-3;
const fixtures = join(repositoryRoot, "test", "fixtures");
const source = readFileSync(join(fixtures, "stories260k.json"), "utf8");
const golden = JSON.parse(source) as Golden; // origin: stories260k.origin.json
const folder = join(repositoryRoot, "assets", "stories260k");
let model: OpenedModel;
beforeAll(async () => {
  model = await embeddedEngine({ threads: 1, precision: "f32" }).open(folder);
});
afterAll(() => model[Symbol.asyncDispose]());

it("is the fixture that its origin names", () => {
  const origin = JSON.parse(readFileSync(join(fixtures, "stories260k.origin.json"), "utf8"));
  expect(sha256(source)).toBe(origin["stories260k.json"].sha256);
});

it("tells the story to its last of 257 ids", async () => {
  const { prompt_ids: promptIds, ids } = golden.greedy;
  expect(ids.length).toBe(257);
  const options = { maxNewTokens: 257 - promptIds.length, stopIds: [], temperature: 0, seed: 0, batch: 1 };
  for await (const result of model.generate!([{ id: "story", promptIds, conversationIds: [] }], options)) {
    expect([...promptIds, ...result.ids]).toEqual(ids);
  }
  expect.assertions(2);
});

it.each(golden.scoring)(
  "gives the log-probabilities of: $text",
  async ({ text, ids, token_logprobs: wanted, ...row }) => {
    expect((await loadTextModel(folder)).tokenizer.encode(text)).toEqual(ids);
    for await (const { logprobs } of model.score!([
      { id: "text", promptIds: ids.slice(0, 1), responseIds: ids.slice(1) },
    ])) {
      expect(largestDifference(logprobs, wanted)).toBeLessThan(TOLERANCE);
      expect(Math.abs(logprobs.reduce((sum, logprob) => sum + logprob, 0) - row.sum_logprob)).toBeLessThan(TOLERANCE);
    }
    expect.assertions(3);
  },
);
