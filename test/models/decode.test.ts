/**
 * Decoding of real models, as imported from GGUF: Transformers' log-probabilities and greedy ids, and the same bits in any company.
 * Greedy ids are exact up to the first step at which the two best tokens lie closer than single precision tells apart.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embeddedEngine } from "../../src/embedded/embedded.js";
import type { OpenedModel } from "../../src/engine/opened.js";
import type { Decoding, GenerateRequest, GenerateResult } from "../../src/engine/requests.js";
import { templateFrom } from "../../src/options/template.js";
import { loadTextModel } from "../../src/text/load.js";
import { renderPair, renderPrompt } from "../../src/text/render.js";
import type { TextModel } from "../../src/text/tokenizer.js";
import { availableCores } from "../../src/util/system.js";
import { repositoryRoot } from "../staged-package.js";
import { realModel } from "./folder.js";

/** Two exact orders of summing 300 million products in single precision; Transformers' own kernels differ by as much. */
const TOLERANCE = 1e-3;
const NEAR_TIE = 1e-3;

interface Expected {
  readonly models: Readonly<
    Record<
      string,
      {
        readonly score: readonly {
          instruction: string;
          response: string;
          input_ids: number[];
          prompt_tokens: number;
          logprobs: number[];
        }[];
        readonly greedy: readonly { instruction: string; ids: number[] }[];
      }
    >
  >;
}
const expectedPath = join(repositoryRoot, "..", "shared", "models", "expected.json");

describe.each(["smollm2-135m-instruct", "gemma-3-270m"])("%s", (name) => {
  const { path, skip } = realModel(name);
  const reason = skip ?? (existsSync(expectedPath) ? undefined : `${expectedPath} is not there`);
  if (reason !== undefined) {
    it.skip(`needs ${reason}`, () => {});
    return;
  }
  const expected = (JSON.parse(readFileSync(expectedPath, "utf8")) as Expected).models[name]!;
  const longest = Math.max(...expected.greedy.map(({ ids }) => ids.length));
  const greedy: Decoding = { maxNewTokens: 8, stopIds: [], temperature: 0, seed: 0, batch: 16, trace: true };
  let model: OpenedModel;
  let text: TextModel;
  let requests: GenerateRequest[];
  beforeAll(async () => {
    text = await loadTextModel(path);
    model = await embeddedEngine({ threads: availableCores(), precision: "f32" }).open(path);
    requests = expected.greedy.map(({ instruction }, i) => ({
      id: `${i}`,
      ...renderPrompt(text, templateFrom(), instruction),
    }));
  });
  afterAll(() => model[Symbol.asyncDispose]());

  async function generate(asked: readonly GenerateRequest[], options: Partial<Decoding> = {}, by: OpenedModel = model) {
    const found = new Map<string, GenerateResult>();
    for await (const result of by.generate!(asked, { ...greedy, ...options })) found.set(result.id, result);
    return found;
  }

  it("gives the reference's greedy ids", async () => {
    const found = await generate(requests, { maxNewTokens: longest });
    expected.greedy.forEach(({ ids }, i) => {
      const { ids: ours, trace } = found.get(`${i}`)!;
      const tie = trace!.findIndex(({ logprob, runnerUp }) => logprob - runnerUp.logprob < NEAR_TIE);
      const comparable = tie < 0 ? ids.length : tie;
      expect(comparable).toBeGreaterThan(8);
      expect(ours.slice(0, Math.min(comparable, ids.length))).toEqual(ids.slice(0, comparable));
    });
  });

  it("renders the reference's prompts and responses to its ids", () => {
    expect(expected.score.length).toBeGreaterThan(2);
    for (const { instruction, response, input_ids, prompt_tokens } of expected.score) {
      const { promptIds, responseIds, merged } = renderPair(text, templateFrom(), { instruction, response });
      expect([[...promptIds, ...responseIds], promptIds.length, merged]).toEqual([input_ids, prompt_tokens, false]);
    }
  });

  it("gives the reference's log-probabilities", async () => {
    const rows = expected.score.map(({ input_ids, prompt_tokens }, i) => ({
      id: `${i}`,
      promptIds: input_ids.slice(0, prompt_tokens),
      responseIds: input_ids.slice(prompt_tokens),
    }));
    for await (const { id, logprobs } of model.score!(rows)) {
      const { logprobs: wanted } = expected.score[Number(id)]!;
      expect(logprobs.length).toBe(wanted.length);
      const furthest = Math.max(...wanted.map((value, i) => Math.abs(logprobs[i]! - value)));
      expect(furthest).toBeLessThan(TOLERANCE);
    }
  });

  it.each(["f32", "q8"] as const)("%s: gives a prompt the same bits whatever shares its batch", async (precision) => {
    const own = precision === "f32" ? model : await embeddedEngine({ threads: availableCores(), precision }).open(path);
    const many = [0, 1, 2, 3, 4, 5].flatMap((cut) =>
      requests.map((request) => ({
        ...request,
        id: `${request.id} from ${cut}`,
        promptIds: [...request.promptIds.slice(cut), ...request.promptIds, ...request.promptIds].slice(
          0,
          20 + 13 * cut,
        ),
      })),
    );
    const together = await generate(many, {}, own);
    for (const options of [{ batch: 3 }, { batch: 5 }]) {
      const otherwise = await generate([...many].reverse(), options, own);
      for (const { id } of many) expect(otherwise.get(id), id).toEqual(together.get(id));
    }
    for (const request of many.slice(0, 3)) {
      expect((await generate([request], { batch: 1 }, own)).get(request.id)).toEqual(together.get(request.id));
    }
    if (own !== model) await own[Symbol.asyncDispose]();
  });
});
