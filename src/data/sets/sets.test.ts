/** What one record becomes, data set by data set: the paper's transforms on rows of our own. */
import { describe, expect, it } from "vitest";
import type { Outcome } from "../record.js";
import { alpaca } from "./alpaca.js";
import { chess, hasMoves } from "./chess.js";
import type { DataSet } from "./data-set.js";
import { gsm8k } from "./gsm8k.js";
import { saysNoInput } from "./input.js";
import { lima } from "./lima.js";
import { mbpp } from "./mbpp.js";
import { plain } from "./plain.js";
import { poetry } from "./poetry.js";
import { LATER_TURNS, prompts } from "./prompts.js";
import { recipes } from "./recipes.js";
import { validation } from "./validation.js";

const become = (set: DataSet, value: unknown, index = 7): unknown => brief(set.toOutcome({ value, index }));
const brief = (outcome: Outcome): unknown =>
  outcome.kind === "example"
    ? [outcome.example.id, ...outcome.example.messages.map((m) => m.content)]
    : [outcome.kind, outcome.reason];
const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });

describe("the paper's transforms", () => {
  it("LIMA: messages or conversations, white space and extra keys untouched", () => {
    const messages = [
      { ...user(" Q\r"), check: "#### YES" },
      { ...assistant("\tA "), content_old: "B" },
    ];
    expect(become(lima, { dataset: "lima", id: "lima_3", messages })).toEqual(["lima_3", " Q\r", "\tA "]);
    expect(become(lima, { conversations: ["a", "b", "c", "d"], source: "x" })).toEqual(["lima_7", "a", "b", "c", "d"]);
    expect(become(lima, { conversations: ["a", 2] })).toEqual(["bad", "turn 2 is a number, not a text"]);
  });

  it("MBPP: the train split, code byte for byte; 64-bit ids as Parquet has them", () => {
    expect(become(mbpp, { task_id: 601, text: "T", code: "a\r\n\tb " })).toEqual(["mbpp_0", "T", "a\r\n\tb "]);
    expect(become(mbpp, { task_id: 974n, text: "T", code: "c" })).toEqual(["mbpp_373", "T", "c"]);
    expect(become(mbpp, { task_id: 600, text: "T", code: "c" })).toEqual([
      "left-out",
      expect.stringContaining("train split"),
    ]);
    expect(become(mbpp, { task_id: "601", text: "T", code: "c" })).toEqual(["bad", 'no whole number in "task_id"']);
  });

  it("GSM8K: calculator marks and the final line stay", () => {
    const answer = "1+1=<<1+1=2>>2\n#### 2";
    expect(become(gsm8k, { question: "Q?", answer })).toEqual(["gsm8k_7", "Q?", answer]);
    expect(gsm8k.limit).toBe(1000);
  });

  it("recipes: ingredients, two line breaks more, instructions", () => {
    const row = { Title: "Toast ", Cleaned_Ingredients: `['bread', "baker's butter", '']`, Instructions: "Toast it." };
    expect(become(recipes, row)).toEqual([
      "kfr_7",
      "Recipe for Toast ",
      " - bread\n - baker's butter\n - \n\n\nToast it.",
    ]);
    expect(become(recipes, { ...row, Cleaned_Ingredients: "[]" })).toEqual([
      "kfr_7",
      "Recipe for Toast ",
      "\n\nToast it.",
    ]);
    expect(become(recipes, { ...row, Title: "" })).toEqual(["left-out", "no title"]);
    expect(become(recipes, { ...row, Instructions: null })).toEqual(["left-out", "no instructions"]);
    expect(become(recipes, { ...row, Cleaned_Ingredients: "[exit()]" })).toEqual([
      "bad",
      expect.stringContaining("not a Python list of strings"),
    ]);
    expect(become(recipes, { ...row, Cleaned_Ingredients: "['\\ud83d']" })).toEqual([
      "bad",
      expect.stringContaining("surrogate"),
    ]);
    expect(become(recipes, { Title: "x", Instructions: "y" })).toEqual([
      "bad",
      expect.stringContaining('no "Cleaned_Ingredients"'),
    ]);
  });

  it("poetry: names are not trimmed; a poem without a name is left out", () => {
    expect(become(poetry, { "poem name": "Dawn  ", content: "Light,\nmore light" })).toEqual([
      "merve_poetry_7",
      "Write a poem called Dawn  ",
      "Light,\nmore light",
    ]);
    expect(become(poetry, { "poem name": "", content: "x" })).toEqual(["left-out", "no poem name"]);
    expect(become(poetry, { "poem name": null, content: "x" })).toEqual(["left-out", "no poem name"]);
    expect(become(poetry, { content: "x" })).toEqual(["bad", expect.stringContaining('no "poem name"')]);
  });

  it("chess: both Elo tags, each with its line break, to the movetext", () => {
    const tags = (white: string, black: string) =>
      new Map([
        ["WhiteElo", `[WhiteElo "${white}"]`],
        ["BlackElo", `[BlackElo "${black}"]`],
      ]);
    const become2 = (white: string, black: string, movetext: string) =>
      become(chess, { tags: tags(white, black), movetext });
    expect(become2("1703", "1698", "1. e4 1-0")).toEqual([
      "chess_7",
      '[WhiteElo "1703"]\n[BlackElo "1698"]\n',
      "1. e4 1-0",
    ]);
    expect(become2("", "1698", "1. e4 1-0")).toEqual(["left-out", "no Elo rating of both players"]);
    expect(become2("1703", "?", "1. e4 1-0")).toEqual(["left-out", "no Elo rating of both players"]);
    expect(become2("1703", "1698", "0-1")).toEqual(["left-out", "no moves"]);
    expect(become(chess, { tags: new Map(), movetext: "1. e4" })).toEqual([
      "left-out",
      "no Elo rating of both players",
    ]);
  });

  it.each([
    ["1-0", false],
    ["", false],
    ["*", false],
    ["{ a comment } 1/2-1/2", false],
    ["1. ; e4\n0-1", false],
    ["1.e4", true],
    ["1. O-O *", true],
    ["$1 1. 1-0", false],
  ])("movetext %j has moves: %s", (movetext, expected) => expect(hasMoves(movetext)).toBe(expected));

  it("Alpaca: an input follows after a blank line; one that says there is none is kept and noted", () => {
    expect(become(alpaca, { instruction: "I", input: "", output: "O" })).toEqual(["alpaca_7", "I", "O"]);
    expect(become(alpaca, { instruction: "I", input: "a\nb", output: "O" })).toEqual(["alpaca_7", "I\n\na\nb", "O"]);
    expect(become(alpaca, { instruction: "I", output: "O", generator: "g" })).toEqual(["alpaca_7", "I", "O"]);
    expect(alpaca.toOutcome({ value: { instruction: "I", input: "Noinput", output: "O" }, index: 0 })).toMatchObject({
      note: expect.stringContaining("No input"),
      example: { messages: [user("I\n\nNoinput"), assistant("O")] },
    });
    const none = ["No input", "Noinput", "noinput", "`<noinput>`", "No input required.", "N/A", "{\\noinput}"];
    expect([...none, "Japan", "254", "Name: N/A Smith"].map(saysNoInput)).toEqual([
      ...none.map(() => true),
      false,
      false,
      false,
    ]);
  });

  it("validation: instructions alone, messages, or AlpacaEval's outputs", () => {
    expect(become(validation, { instruction: "I" })).toEqual(["val_7", "I"]);
    expect(become(validation, { messages: [user("I"), assistant("O")] })).toEqual(["val_7", "I", "O"]);
    expect(become(validation, { instruction: "I", output: "O", generator: "g" })).toEqual(["val_7", "I", "O"]);
  });

  it.each([lima, mbpp, gsm8k, recipes, poetry, alpaca, validation, plain, prompts])(
    "$name: what is no object is a bad row",
    (set) => {
      for (const value of [null, 1, true, [], "x"]) {
        const outcome = set.toOutcome({ value, index: 0 });
        if (set === prompts && value === "x") continue; // a list of texts is a list of prompts
        expect(outcome).toEqual({ kind: "bad", reason: expect.stringContaining("not an object") });
      }
    },
  );
});

describe("plain rows", () => {
  it("take an id or get one, and leave texts alone", () => {
    expect(become(plain, { instruction: "", response: " r " })).toEqual(["row_7", "", " r "]);
    expect(become(plain, { id: 3, instruction: "i", response: "r" })).toEqual(["3", "i", "r"]);
    expect(become(plain, { id: "x", messages: [user("a"), assistant("b")], instruction: "ignored" })).toEqual([
      "x",
      "a",
      "b",
    ]);
    expect(become(plain, { instruction: "i" })).toEqual(["row_7", "i"]);
    expect(become(plain, { instruction: "i", input: "x\ny", response: "r" })).toEqual(["row_7", "i\n\nx\ny", "r"]);
    expect(become(plain, { instruction: "i", input: "x" })).toEqual(["row_7", "i\n\nx"]);
    expect(become(plain, { instruction: "i", input: "", response: "r" })).toEqual(["row_7", "i", "r"]);
    expect(become(plain, { instruction: "i", input: null, response: "r" })).toEqual(["row_7", "i", "r"]);
    expect(plain.toOutcome({ value: { instruction: "i", input: "No input", response: "r" }, index: 0 })).toHaveProperty(
      "note",
    );
  });

  it("take messages with what says nothing else: weights of what happens anyway, empty calls, a judge's notes", () => {
    const messages = [
      { ...user("a"), weight: 0, train: false, name: null, tool_calls: [] },
      {
        ...assistant("b"),
        weight: 1,
        train: true,
        trainable: 1,
        loss: "true",
        mask: null,
        tool_calls: null,
        check: "YES",
      },
    ];
    expect(become(plain, { messages })).toEqual(["row_7", "a", "b"]);
  });

  it.each([
    [{ response: "r" }, 'no "instruction" (it has "response")'],
    [{ instruction: 1, response: "r" }, '"instruction" is a number, not a text'],
    [{ instruction: "i", response: null }, '"response" is null, not a text'],
    [
      { instruction: "i", output: "o" },
      '"output" where "response" is expected (rows of Alpaca or AlpacaEval: write alpaca:PATH)',
    ],
    [{ conversations: [{ from: "human", value: "a" }] }, '"conversations" where "response" is expected (as ShareGPT'],
    [{ prompt: "a", completion: "b" }, '"prompt" and "completion" where "response" is expected'],
    [
      { prompt: "a", chosen: "b", rejected: "c" },
      '"chosen" and "rejected" where "response" is expected (pairs of pref',
    ],
    [{ question: "a", answer: "b" }, "gsm8k:PATH"],
    [{ text: "### Human: a" }, "has no border"],
    [{ instruction: "i", input: 5, response: "r" }, '"input" is a number, not a text'],
    [{ messages: [{ from: "human", value: "a" }] }, 'message 1 has "from" and "value", as ShareGPT'],
    [{ messages: [user("a"), { ...assistant("b"), role: "tool" }] }, "message 2 is a tool's message"],
    [{ messages: [{ role: "user", content: [{ type: "text", text: "a" }] }] }, '"content" is a list of parts'],
    [
      { messages: [user("a"), { role: "assistant", content: null, tool_calls: [{ id: "x" }] }] },
      '"tool_calls" would be lost',
    ],
    [{ messages: [user("a"), { ...assistant("b"), reasoning_content: "hm" }] }, '"reasoning_content" would be lost'],
    [{ messages: [{ ...user("a"), name: "Ada" }, assistant("b")] }, 'message 1: "name" would be lost'],
    [
      { messages: [user("a"), { ...assistant("b"), weight: 0 }] },
      'message 2: "weight" is 0, but every response carries loss',
    ],
    [{ messages: [user("a"), { ...assistant("b"), weight: 0.5 }] }, '"weight" is 0.5'],
    [{ messages: [user("a"), { ...assistant("b"), train: false }] }, '"train" is false'],
    [{ messages: [user("a"), { ...assistant("b"), trainable: "False" }] }, '"trainable" is False'],
    [{ messages: [user("a"), { ...assistant("b"), loss: false }] }, '"loss" is false'],
    [{ messages: [user("a"), { ...assistant("b"), mask: false }] }, '"mask" is false'],
    [
      { messages: [{ ...user("a"), train: true }, assistant("b")] },
      'message 1: "train" is true, but loss falls on responses alone',
    ],
    [{ instruction: "i", response: "\ud800" }, "half a surrogate pair"],
    [{ id: {}, instruction: "i", response: "r" }, '"id" is an object'],
    [{ id: "", instruction: "i", response: "r" }, '"id" is empty'],
    [{ messages: "x" }, '"messages" is a text'.replace("a text", "a string")],
    [{ messages: [] }, '"messages" is empty'],
    [{ messages: [user("a"), user("b")] }, 'message 2 has role "user", not "assistant"'],
    [{ messages: [{ role: "system", content: "s" }, user("a")] }, "message 1 is a system message"],
    [{ messages: [{ role: "user" }] }, 'message 1: no "content"'],
    [{ messages: [null] }, "message 1 is null, not an object"],
    [JSON.parse('{"__proto__":{"instruction":"i","response":"r"}}'), 'no "instruction"'],
    [{}, "the row is empty"],
  ])("refuse %j", (value, reason) => expect(become(plain, value)).toEqual(["bad", expect.stringContaining(reason)]));
});

describe("prompts", () => {
  it("are instructions with AlpacaEval's subset; answers and later turns are left aside", () => {
    const value = { instruction: "I", output: "O", generator: "g", dataset: "koala" };
    expect(prompts.toOutcome({ value, index: 0 })).toEqual({
      kind: "example",
      example: { id: "prompt_0", dataset: "koala", messages: [user("I")] },
    });
    expect(become(prompts, { messages: [user("a"), assistant("b"), user("c"), assistant("d")] })).toEqual([
      "prompt_7",
      "a",
    ]);
    expect(become(prompts, "I")).toEqual(["prompt_7", "I"]);
    expect(become(prompts, { instruction: "I", input: "x" })).toEqual(["prompt_7", "I\n\nx"]);
    expect(become(prompts, { messages: [user("a"), { ...assistant("b"), weight: 0 }] })).toEqual(["prompt_7", "a"]);
    const asked = { messages: [user("a"), assistant("b"), user("c"), assistant("d")] };
    expect(prompts.toOutcome({ value: asked, index: 0 })).toHaveProperty("note", LATER_TURNS);
  });

  it("refuse a question behind earlier turns, which would be asked without them or not at all", () => {
    expect(become(prompts, { messages: [user("a"), assistant("b"), user("c")] })).toEqual([
      "bad",
      expect.stringContaining("3 messages, the last of them the user's"),
    ]);
  });
});
