/** Rendered dialogues against an independent implementation over the Rust tokenizers (`python/fixtures/tulu.py`). Ids have no tolerance. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { templateFrom } from "../../src/options/template.js";
import { tokenizerFromJson } from "../../src/text/huggingface.js";
import { renderExample, renderPair, renderPrompt } from "../../src/text/render.js";
import type { TextModel } from "../../src/text/tokenizer.js";
import { modelsFolder, type RenderingCase, rendering } from "./fixtures.js";

const golden = rendering();

function textModel(name: "bytes" | "pieces"): TextModel {
  const folder = join(modelsFolder, "tokenizers", name);
  const load = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), "utf8"));
  const tokenizer = tokenizerFromJson(load("tokenizer.json"), { config: load("tokenizer_config.json") });
  return {
    tokenizer,
    bosId: tokenizer.encode("")[0],
    declaredBosId: undefined,
    eosId: golden[name].eos_id,
    modelType: "llama",
    hash: "",
  };
}

const tagsOf = (c: RenderingCase) =>
  templateFrom({
    ...(c.user_tag === undefined ? {} : { userTag: c.user_tag }),
    ...(c.assistant_tag === undefined ? {} : { assistantTag: c.assistant_tag }),
  });

describe.each(["bytes", "pieces"] as const)("the tokenizer %s", (name) => {
  const model = textModel(name);
  const { cases } = golden[name];

  it.each(cases)("renders as the reference does: $name", (c) => {
    const options = { objective: c.objective, ...(c.max_length === undefined ? {} : { maxLength: c.max_length }) };
    const row = renderExample(model, tagsOf(c), { id: c.name, messages: c.messages }, options);
    expect(row.inputIds).toEqual(c.row.input_ids);
    expect(row.labels).toEqual(c.row.labels);
    expect([row.promptTokens, row.merged, row.cut]).toEqual([c.row.prompt_tokens, c.row.merged, c.row.cut]);
  });

  it("has merged and cut rows among its cases", () => {
    expect(cases.filter((c) => c.row.merged).length).toBe(name === "pieces" ? 3 : 0);
    expect(cases.filter((c) => c.row.cut).length).toBe(4);
  });

  const single = cases.filter((c) => c.messages.length === 2 && !c.row.cut && c.objective === "instruction");
  it.each(single)("gives generation and scoring the ids of training: $name", (c) => {
    const [instruction, response] = c.messages.map((message) => message.content) as [string, string];
    const prompt = c.row.input_ids.slice(0, c.row.prompt_tokens);
    expect(renderPrompt(model, tagsOf(c), instruction).promptIds).toEqual(prompt);
    const pair = renderPair(model, tagsOf(c), { instruction, response });
    expect([...pair.promptIds, ...pair.responseIds]).toEqual(c.row.input_ids);
  });
});
