import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gpt2Like, llama2Like } from "../../test/small-tokenizers.js";
import { sha256 } from "../util/files.js";
import { loadTextModel } from "./load.js";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tacit-text-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function modelOf(files: { tokenizer?: unknown; config?: unknown; tokenizerConfig?: unknown }): Promise<string> {
  const write = (name: string, value: unknown) => writeFile(join(directory, name), JSON.stringify(value));
  if (files.tokenizer !== undefined) await write("tokenizer.json", files.tokenizer);
  if (files.config !== undefined) await write("config.json", files.config);
  if (files.tokenizerConfig !== undefined) await write("tokenizer_config.json", files.tokenizerConfig);
  return directory;
}

const gpt2 = gpt2Like();
const end = gpt2.added_tokens[0]!.id;

describe("loadTextModel", () => {
  it("takes BOS from the post-processor and EOS from config.json", async () => {
    const tokenizer = llama2Like();
    const config = { model_type: "llama", eos_token_id: 2, bos_token_id: 1 };
    const model = await loadTextModel(await modelOf({ tokenizer, config }));
    expect(model).toMatchObject({ bosId: 1, eosId: 2, modelType: "llama", hash: sha256(JSON.stringify(tokenizer)) });
  });

  it("has another hash where a list beside the tokenizer makes a token special, and the same where it changes nothing", async () => {
    const tokenizer = llama2Like();
    const config = { model_type: "llama", eos_token_id: 2, bos_token_id: 1 };
    const [piece = "", id = 0] = Object.entries(tokenizer.model.vocab as Record<string, number>).at(-1) ?? [];
    const hashWith = async (tokenizerConfig: object) => {
      const { hash, tokenizer: made } = await loadTextModel(await modelOf({ tokenizer, config, tokenizerConfig }));
      return { hash, text: made.decode([id]) };
    };
    const plain = sha256(JSON.stringify(tokenizer));
    const changed = await hashWith({ additional_special_tokens: [piece] });
    expect(changed.text).toBe("");
    expect(changed.hash).not.toBe(plain);
    const unchanged = await hashWith({ eos_token: "</s>", additional_special_tokens: ["<s>", "no such token"] });
    expect(unchanged.text).not.toBe("");
    expect(unchanged.hash).toBe(plain);
    expect((await hashWith({ unk_token: piece })).hash).toBe(changed.hash); // the same by a name
  });

  it("does not take what a flag says for a BOS", async () => {
    const tokenizerConfig = { add_bos_token: true, bos_token: "<|endoftext|>", eos_token: "<|endoftext|>" };
    const config = { model_type: "gpt2", bos_token_id: end, eos_token_id: end };
    const model = await loadTextModel(await modelOf({ tokenizer: gpt2, config, tokenizerConfig }));
    expect([model.bosId, model.declaredBosId, model.eosId]).toEqual([undefined, end, end]);
  });

  it.each([
    ["config.json's", { eos_token_id: 65 }, { eos_token: "<|endoftext|>" }, 65],
    ["tokenizer_config.json's, where config.json is silent", {}, { eos_token: { content: "<|endoftext|>" } }, end],
    ["null is silence", { eos_token_id: null }, { eos_token: "<|endoftext|>" }, end],
    ["of a list, the one that the tokenizer names", { eos_token_id: [65, end] }, { eos_token: "<|endoftext|>" }, end],
    ["of a list, the first", { eos_token_id: [65, 66] }, { eos_token: "<|endoftext|>" }, 65],
    ["of a multimodal config, the text's", { text_config: { eos_token_id: 66 } }, {}, 66],
  ])("EOS: %s", async (_, config, tokenizerConfig, expected) => {
    expect((await loadTextModel(await modelOf({ tokenizer: gpt2, config, tokenizerConfig }))).eosId).toBe(expected);
  });

  const processor = (single: object[]) => ({
    ...llama2Like(),
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [1] }, "</s>": { id: "</s>", ids: [2] } },
    },
  });
  const begin = { SpecialToken: { id: "<s>", type_id: 0 } };
  const stop = { SpecialToken: { id: "</s>", type_id: 0 } };
  const text = { Sequence: { id: "A", type_id: 0 } };

  it.each([
    ["no tokenizer", { config: {} }, "has no tokenizer.json"],
    ["no EOS", { tokenizer: gpt2, config: {} }, "names no end-of-sequence token"],
    ["an EOS out of range", { tokenizer: gpt2, config: { eos_token_id: 99_999 } }, "eos_token_id is 99999"],
    ["an EOS that is text", { tokenizer: gpt2, config: { eos_token_id: "2" } }, "config.json: eos_token_id: "],
    ["two BOS", { tokenizer: processor([begin, begin, text]), config: { eos_token_id: 2 } }, "adds 2 tokens"],
    ["BOS and EOS", { tokenizer: processor([begin, text, stop]), config: { eos_token_id: 2 } }, "adds 2 tokens"],
    ["an EOS only", { tokenizer: processor([text, stop]), config: { eos_token_id: 2 } }, "appends </s> to every text"],
  ])("refuses %s", async (_, files, message) => {
    await expect(loadTextModel(await modelOf(files))).rejects.toThrow(message);
  });

  it("refuses a tokenizer.json that is not JSON, by name", async () => {
    await modelOf({ config: { eos_token_id: 2 } });
    await writeFile(join(directory, "tokenizer.json"), "{");
    await expect(loadTextModel(directory)).rejects.toThrow(`${join(directory, "tokenizer.json")}:1:2: not JSON`);
  });

  it("says which file it is that names something it would not do exactly", async () => {
    await modelOf({ tokenizer: { ...gpt2, normalizer: { type: "Unheard" } }, config: { eos_token_id: 2 } });
    const path = join(directory, "tokenizer.json");
    await expect(loadTextModel(directory)).rejects.toThrow(`${path}: the normalizer Unheard is not supported`);
  });
});
