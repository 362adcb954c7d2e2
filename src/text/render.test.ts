import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gpt2Like, llama2Like } from "../../test/small-tokenizers.js";
import { awkwardText } from "../../test/tokenizer-oracle.js";
import { templateFrom } from "../options/template.js";
import type { Example } from "../records/example.js";
import { IGNORE } from "../records/row.js";
import { tokenizerFromJson } from "./huggingface.js";
import {
  bosOf,
  renderExample,
  renderLaterPrompt,
  renderPair,
  renderPrompt,
  renderRaw,
  supervisedTokens,
} from "./render.js";
import { segmentsOf } from "./segments.js";
import { templateText } from "./template.js";
import type { TextModel } from "./tokenizer.js";

const bytes = tokenizerFromJson(gpt2Like());
const pieces = tokenizerFromJson(llama2Like());
const endOfText = bytes.idOf("<|endoftext|>")!;
const gpt2: TextModel = { tokenizer: bytes, bosId: undefined, eosId: endOfText, modelType: "gpt2", hash: "" };
const llama: TextModel = { tokenizer: pieces, bosId: 1, eosId: 2, modelType: "llama", hash: "" };
const tulu = templateFrom();

const pair = (instruction: string, response: string, id = "1"): Example => ({
  id,
  messages: [
    { role: "user", content: instruction },
    { role: "assistant", content: response },
  ],
});
const supervised = (row: { labels: readonly number[] }): number[] => row.labels.filter((label) => label !== IGNORE);
const textOf = (model: TextModel, ids: readonly number[]): string => {
  const parts = ids.map((id) => model.tokenizer.bytes(id) ?? Buffer.from(`{${id}}`));
  return Buffer.concat(parts).toString("utf8");
};

describe("one turn", () => {
  it("is the template to the letter, loss on the response and its EOS", () => {
    const row = renderExample(llama, tulu, pair("How?", "So."));
    expect(textOf(llama, row.inputIds)).toBe("{1} <|user|>\nHow?\n<|assistant|>\nSo.{2}");
    expect(textOf(llama, supervised(row))).toBe("So.{2}");
    expect(row.inputIds[row.promptTokens]).toBe(row.labels[row.promptTokens]);
    expect(row.labels.slice(0, row.promptTokens).every((label) => label === IGNORE)).toBe(true);
    expect([row.merged, row.cut]).toEqual([false, false]);
  });

  it("has an empty instruction under response tuning", () => {
    const row = renderExample(gpt2, tulu, pair("How?", "So."), { objective: "response" });
    expect(textOf(gpt2, row.inputIds)).toBe(`<|user|>\n\n<|assistant|>\nSo.{${endOfText}}`);
  });

  it("takes other tags", () => {
    const ab = templateFrom({ userTag: "<|A|>", assistantTag: "<|B|>" });
    expect(textOf(gpt2, renderExample(gpt2, ab, pair("x", "y")).inputIds)).toBe(`<|A|>\nx\n<|B|>\ny{${endOfText}}`);
    expect(templateText(ab)).toBe("{BOS}<|A|>\n{instruction}\n<|B|>\n{response}{EOS}");
  });

  it("trims Unicode white space at both ends and nothing else", () => {
    const row = renderExample(gpt2, tulu, pair("\u0085\u3000 a b \n", "\ufeffc\u00a0"));
    expect(textOf(gpt2, row.inputIds)).toBe(`<|user|>\na b\n<|assistant|>\n\ufeffc{${endOfText}}`);
  });

  it("does not trim where the reading says so", () => {
    const { promptIds } = renderPrompt(gpt2, tulu, " a ", { trim: false });
    expect(textOf(gpt2, promptIds)).toBe("<|user|>\n a \n<|assistant|>\n");
  });

  it("spells control tokens in a message out", () => {
    const row = renderExample(gpt2, tulu, pair("a<|endoftext|>b", "<|endoftext|>"));
    expect(row.inputIds.filter((id) => id === endOfText)).toHaveLength(1);
    expect(textOf(gpt2, supervised(row))).toBe(`<|endoftext|>{${endOfText}}`);
    const ofLlama = renderExample(llama, tulu, pair("</s>", "</s>"));
    expect(ofLlama.inputIds.filter((id) => id === 2)).toHaveLength(1);
  });
});

describe("text without a template", () => {
  it("is encoded as it is, behind BOS", () => {
    const { promptIds, conversationIds } = renderRaw(llama, " a\n");
    expect(promptIds).toEqual([1, ...conversationIds]);
    expect(textOf(llama, conversationIds).trimStart()).toBe("a\n");
    expect(renderRaw(llama, " a\n", { bos: "never" }).promptIds).toEqual(conversationIds);
  });
});

describe("several turns", () => {
  const dialogue: Example = {
    id: "d",
    messages: [...pair("a", "b").messages, ...pair("c", "d").messages],
  };

  it("begin each later turn on a new line after EOS, with loss on every response", () => {
    const row = renderExample(gpt2, tulu, dialogue);
    const turn = `<|user|>\n%\n<|assistant|>\n`;
    const end = `{${endOfText}}`;
    expect(textOf(gpt2, row.inputIds)).toBe(`${turn.replace("%", "a")}b${end}\n${turn.replace("%", "c")}d${end}`);
    expect(textOf(gpt2, supervised(row))).toBe(`b${end}d${end}`);
    expect(textOf(gpt2, row.inputIds.slice(0, row.promptTokens))).toBe(turn.replace("%", "a"));
  });

  it("encode a later turn as a piece of its own without BOS", () => {
    const row = renderExample(llama, tulu, dialogue);
    expect(row.inputIds.filter((id) => id === 1)).toHaveLength(1);
    const later = pieces.encode("\n<|user|>\nc\n<|assistant|>\n", { special: false, plainText: true });
    const at = row.inputIds.indexOf(2) + 1;
    expect(row.inputIds.slice(at, at + later.length)).toEqual(later);
    expect(renderLaterPrompt(llama, tulu, " c ")).toEqual(later);
    expect(renderLaterPrompt(llama, tulu, " c ", { trim: false })).not.toEqual(later);
  });

  it("must alternate, user first, assistant last", () => {
    const broken = { id: "7", messages: [...dialogue.messages].reverse() };
    expect(() => renderExample(gpt2, tulu, broken)).toThrow("row 7: the roles are assistant, user, assistant, user");
    expect(() => renderExample(gpt2, tulu, { id: "8", messages: [] })).toThrow("row 8: the roles are none");
  });
});

describe("the border of prompt and response", () => {
  // A vocabulary that joins a line break with the letter after it.
  const base = llama2Like();
  const { vocab } = base.model as unknown as { vocab: Record<string, number> };
  const next = Object.keys(vocab).length;
  const joining: TextModel = {
    ...llama,
    tokenizer: tokenizerFromJson({
      ...base,
      model: { ...base.model, vocab: { ...vocab, "\nT": next }, merges: [["\n", "T"]] },
    }),
  };

  it("keeps the prompt's ids where the tokenizer would join, and counts the row as merged", () => {
    const { promptIds } = renderPrompt(joining, tulu, "How?");
    const row = renderExample(joining, tulu, pair("How?", "To."));
    expect(row.merged).toBe(true);
    expect(row.inputIds.slice(0, promptIds.length)).toEqual(promptIds);
    expect(textOf(joining, row.inputIds)).toBe("{1} <|user|>\nHow?\n<|assistant|>\nTo.{2}");
    expect(renderExample(joining, tulu, pair("How?", "No.")).merged).toBe(false);
  });
});

describe("rows too long", () => {
  it("lose their end, and with it their stop token", () => {
    const whole = renderExample(llama, tulu, pair("How?", "So it is."));
    const cut = renderExample(llama, tulu, pair("How?", "So it is."), { maxLength: whole.inputIds.length - 1 });
    expect(cut.inputIds).toEqual(whole.inputIds.slice(0, -1));
    expect([cut.cut, whole.cut]).toEqual([true, false]);
    expect(supervised(cut)).not.toContain(2);
  });

  it("may keep no token that carries loss", () => {
    const row = renderExample(llama, tulu, pair("How?", "So."), { maxLength: 4 });
    expect([supervisedTokens(row), row.promptTokens, row.cut]).toEqual([0, 4, true]);
  });
});

describe("BOS", () => {
  const olmo: TextModel = { ...gpt2, modelType: "olmo" };
  const named: TextModel = { ...gpt2, declaredBosId: 5 };
  it.each([
    ["the tokenizer's own", llama, "auto", 1],
    ["none", gpt2, "auto", undefined],
    ["OLMo's EOS", olmo, "auto", endOfText],
    ["never", llama, "never", undefined],
    ["always: the tokenizer's own", llama, "always", 1],
    ["always: OLMo's EOS", olmo, "always", endOfText],
    ["always: a config's", named, "always", 5],
    ["auto: not a config's", named, "auto", undefined],
  ] as const)("%s", (_, model, choice, expected) => {
    expect(bosOf(model, choice)).toBe(expected);
    expect(renderPrompt(model, tulu, "a", { bos: choice }).promptIds[0] === expected).toBe(expected !== undefined);
  });

  it("always: refused where nothing names one", () => {
    expect(() => bosOf(gpt2, "always")).toThrow('bos: "always"');
  });
});

describe("prompts and pairs", () => {
  it("gives the ids that count as conversation: all after BOS and the opening tag", () => {
    const { promptIds, conversationIds } = renderPrompt(llama, tulu, "How?");
    expect(textOf(llama, conversationIds)).toBe("How?\n<|assistant|>\n");
    expect(promptIds.slice(promptIds.length - conversationIds.length)).toEqual(conversationIds);
  });

  it("scores a response with its EOS, or without", () => {
    const ids = (eos: boolean) => renderPair(llama, tulu, { instruction: " a ", response: " b " }, { eos }).responseIds;
    expect(textOf(llama, ids(true))).toBe("b{2}");
    expect(textOf(llama, ids(false))).toBe("b");
  });

  it("agree with training for any text", () => {
    fc.assert(
      fc.property(awkwardText, awkwardText, (instruction, response) => {
        const row = renderExample(llama, tulu, pair(instruction, response));
        const scored = renderPair(llama, tulu, { instruction, response });
        const { promptIds } = renderPrompt(llama, tulu, instruction);
        expect(scored.promptIds).toEqual(promptIds);
        expect(row.inputIds).toEqual([...promptIds, ...scored.responseIds]);
        expect(supervised(row)).toEqual(scored.responseIds);
        expect(row.inputIds.filter((id) => pieces.isSpecial(id))).toEqual([1, 2]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("segments", () => {
  it("give a row's text back, cut where the loss begins", () => {
    const row = renderExample(llama, tulu, pair("你", "世🙂"));
    expect(segmentsOf(pieces, row).map(({ text, loss, control }) => [text, loss, control])).toEqual([
      ["<s>", false, true],
      [" <|user|>\n你\n<|assistant|>\n", false, false],
      ["世🙂", true, false],
      ["</s>", true, true],
    ]);
    const tokens = segmentsOf(pieces, row).map((segment) => segment.tokens);
    expect(tokens.reduce((sum, n) => sum + n, 0)).toBe(row.inputIds.length);
  });
});

describe("templates", () => {
  it.each([
    [{ template: "chatml" }, 'unknown template "chatml"'],
    [{ template: "__proto__" }, 'unknown template "__proto__"'],
    [{ userTag: "" }, "userTag is empty"],
    [{ userTag: "x", assistantTag: "x" }, 'tag are both "x"'],
  ])("refuses %j", (options, message) => {
    expect(() => templateFrom(options)).toThrow(message);
  });
});
