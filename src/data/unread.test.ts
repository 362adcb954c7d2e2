/** Rows from files, in every data set, in the prompts and in the score input: content and weights never vanish without a word. */
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { collectExamples, newLoadReport } from "./load.js";
import { loadPrompts } from "./prompts.js";
import { ANSWERED } from "./sets/prompts.js";

const files = temporaryFolder();
const pair = { instruction: "Name a fish.", response: "A carp." };
const messages = [
  { role: "user", content: "Name a fish." },
  { role: "assistant", content: "A carp." },
];
const written = (row: object) =>
  files.write("x.jsonl", `${JSON.stringify({ instruction: "a", response: "b" })}\n${JSON.stringify(row)}\n`);
const loaded = (row: object, set = "") =>
  collectExamples(`${set}${set === "" ? written(row) : files.write("x.jsonl", JSON.stringify(row))}`, {
    limit: "all",
  }).then(
    ({ examples }) => examples.at(-1)?.messages.map(({ content }) => content),
    (error: Error) => error.message,
  );

describe("rows to train on", () => {
  it.each<[object, string]>([
    [{ system: "Answer in German." }, '"system" would be lost: the templates have no place for it'],
    [{ system_prompt: "carp" }, '"system_prompt" would be lost'],
    [{ history: [["Name a fish.", "A carp."]] }, '"history" would be lost: write all turns as "messages"'],
    [
      { messages: [{ role: "user", content: "Other" }, messages[1]] },
      '"instruction" beside "messages" would be lost: turns are read',
    ],
    [
      { messages: [messages[0], { role: "assistant", content: "Different" }] },
      '"response" beside "messages" would be lost: turns are read',
    ],
    [{ output: "A pike." }, '"output" would be lost'],
    [{ completion: "A pike." }, '"completion" would be lost'],
    [{ chosen: "A carp.", rejected: "A carp" }, '"rejected" would be lost'],
    [{ context: "Pikes live in lakes." }, '"context" would be lost: name it "input"'],
    [{ prompt: "Name a bird." }, '"prompt" would be lost'],
    [{ suffix: "Be short." }, '"suffix" would be lost'],
    [{ conversations: [{ from: "human", value: "Name a bird." }] }, '"conversations" would be lost'],
    [{ text: "Another text" }, '"text" would be lost'],
    [{ prompt: "Name a fish. Not a carp." }, '"prompt" would be lost'],
    [{ text: "Say: A carp.\nName a fish." }, '"text" would be lost'],
    [{ output: "carp" }, '"output" would be lost: one answer is read'],
    [{ answer: "Name a fish." }, '"answer" would be lost'],
    [{ question: "A carp." }, '"question" would be lost'],
    [{ prompt: "Name a" }, '"prompt" would be lost'],
    [{ conversations: [{ from: "gpt", value: "Name a fish." }] }, '"conversations" would be lost'],
    [{ Input: "In a lake." }, '"Input" would be lost: name it "input"'],
    [{ System: "Be brief" }, '"System" would be lost'],
    [{ systemPrompt: "Be brief" }, '"systemPrompt" would be lost'],
    [{ "System-Prompt": "Be brief" }, '"System-Prompt" would be lost'],
    [{ OUTPUT: "A pike." }, '"OUTPUT" would be lost'],
    [{ Train: false }, '"Train" is false'],
    [{ is_target: false }, '"is_target" is false'],
    [{ Article: "Pikes live in lakes." }, '"Article" would be lost: name it "input"'],
    [{ rationale: "Lakes hold pikes." }, '"rationale" would be lost'],
    [{ Weight: 0 }, '"Weight" is 0'],
    [{ lossMask: [0, 1] }, '"lossMask" is a list or an object'],
    [{ messages: [messages[0], { ...messages[1], toolCalls: ["x"] }] }, 'message 2: "toolCalls" would be lost'],
    [{ messages: [messages[0], { ...messages[1], Weight: 0 }] }, 'message 2: "Weight" is 0'],
    [{ tools: [{ type: "function", function: { name: "look" } }] }, '"tools" would be lost'],
    [{ functions: [{ name: "look" }] }, '"functions" would be lost'],
    [{ images: ["a.png"] }, '"images" would be lost'],
    [{ weight: 0 }, '"weight" is 0, but all rows weigh the same'],
    [{ weight: "0.5" }, '"weight" is 0.5'],
    [{ train: false }, '"train" is false'],
    [{ loss: false }, '"loss" is false'],
    [{ loss_mask: [0, 1] }, '"loss_mask" is a list or an object'],
  ])("are refused with %j", async (more, reason) => {
    expect(await loaded({ ...pair, ...more })).toContain(`line 2: ${reason}`);
  });

  it.each<[object]>([
    [
      {
        source: "web",
        category: "animals",
        generator: "g",
        dataset: "d",
        score: 0.3,
        loss: 0.25,
        turns: 3,
        refusal: false,
      },
    ],
    [{ system: "", history: [], input: null, context: " ", tools: [], conversations: null, weight: null }],
    [{ weight: 1, train: true, loss: true }],
    [{ prompt: "Name a fish.", completion: "A carp.", output: "A carp." }],
    [{ text: "### Instruction:\nName a fish.\n\n### Response:\nA carp." }],
    [{ prompt: "### Instruction:\nName a fish.\n\n### Response:" }],
    [{ messages }],
    [{ label: 1, prompt_id: "x", Train: true, Output: "A carp.", Category: "c" }],
    [{ prompt: "[INST] Name a fish. [/INST]", text: "<|user|>Name a fish.<|assistant|>A carp.</s>" }],
    [
      {
        prompt: [messages[0]],
        conversations: messages.map(({ role, content }) => ({
          from: role === "user" ? "human" : "gpt",
          value: content,
        })),
      },
    ],
  ])("are read with %j", async (more) => {
    expect(await loaded({ ...pair, ...more })).toEqual(["Name a fish.", "A carp."]);
  });

  it("are refused where an answer is only a part of the question", async () => {
    const asked = [
      { role: "user", content: "Is it? Yes or No" },
      { role: "assistant", content: "No" },
    ];
    expect(await loaded({ messages: asked, response: "Yes" })).toContain('"response" beside "messages" would be lost');
    expect(await loaded({ instruction: "Is it 12 or 13?", response: "no", output: "12" })).toContain(
      '"output" would be lost',
    );
  });

  it("have instruction and input joined, and each of them beside the messages that they became", async () => {
    const row = { instruction: "i", input: "x", prompt: "i", response: "o" };
    expect(await loaded(row)).toEqual(["i\n\nx", "o"]);
    const joined = [
      { role: "user", content: "i\n\nx" },
      { role: "assistant", content: "o" },
    ];
    expect(await loaded({ ...row, messages: joined })).toEqual(["i\n\nx", "o"]);
    expect(await loaded({ instruction: "i", messages: joined })).toContain('"instruction" beside "messages"');
  });

  it("whose keys have capitals are refused with the right spelling", async () => {
    const path = files.write("x.csv", "Instruction,Response\na,b\n");
    await expect(collectExamples(path)).rejects.toThrow(
      'no "instruction", but "Instruction": write the key as "instruction"',
    );
  });

  it.each([
    ["alpaca:", { instruction: "i", input: "x", output: "o" }, ["i\n\nx", "o"]],
    ["lima:", { conversations: ["i", "o"], source: "s" }, ["i", "o"]],
    ["gsm8k:", { question: "i", answer: "o" }, ["i", "o"]],
    ["mbpp:", { task_id: 601, text: "i", code: "o", test_list: ["assert"] }, ["i", "o"]],
    ["validation:", { instruction: "i", output: "o" }, ["i", "o"]],
  ])("are held to the same in %s", async (set, row, read) => {
    expect(await loaded({ ...row, text: "text" in row ? row.text : undefined }, set)).toEqual(read);
    expect(await loaded({ ...row, system: "S" }, set)).toContain('line 1: "system" would be lost');
    expect(await loaded({ ...row, weight: 0 }, set)).toContain('line 1: "weight" is 0');
  });

  it("in Alpaca's copy on Hugging Face may have the row in a template beside it", async () => {
    const row = {
      instruction: "i",
      input: "x",
      output: "o",
      text: "### Instruction:\ni\n\n### Input:\nx\n\n### Response:\no",
    };
    expect(await loaded(row, "alpaca:")).toEqual(["i\n\nx", "o"]);
  });

  it("in CSV, where every value is a text", async () => {
    const read = (text: string) =>
      collectExamples(files.write("x.csv", text)).then(({ examples }) => examples.length, String);
    expect(await read("instruction,response,weight,system\na,b,1,\nc,d,1.0,\n")).toBe(2);
    expect(await read("instruction,response,weight,system\na,b,1,\nc,d,0,\n")).toContain('line 3: "weight" is 0');
    expect(await read("instruction,response,weight,system\na,b,1,Be brief\n")).toContain(
      'line 2: "system" would be lost',
    );
  });
});

describe("prompts", () => {
  const asked = async (...rows: object[]): Promise<string | string[]> => {
    const found: string[] = [];
    const path = files.write("p.json", JSON.stringify(rows));
    try {
      for await (const { instruction } of loadPrompts(path)) found.push(instruction);
    } catch (error) {
      return String(error);
    }
    return found;
  };

  it("have their input, and answers that nobody asks for are left aside", async () => {
    const rows = ["a carp", "a horse"].map((input) => ({
      instruction: "Translate.",
      input,
      output: "?",
      rejected: "x",
      weight: 0,
    }));
    expect(await asked(...rows)).toEqual(["Translate.\n\na carp", "Translate.\n\na horse"]);
    expect(await asked({ instruction: "a", messages: [{ role: "user", content: "a" }] })).toEqual(["a"]);
    expect(await asked({ instruction: "a", Output: "b", Weight: 0 })).toEqual(["a"]);
  });

  it("leave aside one answer behind the first message, and count it", async () => {
    const report = newLoadReport();
    const path = files.write("p.json", JSON.stringify([{ messages }, { instruction: "a", response: "b" }]));
    const found = [];
    for await (const { instruction } of loadPrompts(path, { report })) found.push(instruction);
    expect(found).toEqual(["Name a fish.", "a"]);
    expect([...report.notes].map(([note, { count }]) => [note, count])).toEqual([[ANSWERED, 1]]);
  });

  it.each<[object, string]>([
    [{ instruction: "a", system: "S" }, '"system" would be lost'],
    [{ instruction: "a", history: [["b", "c"]] }, '"history" would be lost'],
    [{ instruction: "a", context: "long" }, '"context" would be lost'],
    [{ instruction: "b", messages: [{ role: "user", content: "a" }] }, '"instruction" beside "messages" would be lost'],
    [{ messages: [{ role: "user", content: "a", images: ["x"] }] }, '"images" would be lost'],
    [
      {
        messages: [
          { role: "user", content: "Context A" },
          { role: "user", content: "Question B" },
        ],
      },
      'message 2 has role "user", not "assistant"',
    ],
    [
      {
        messages: [
          { role: "user", content: "a" },
          { role: "system", content: "S" },
        ],
      },
      "message 2 is a system message",
    ],
    [{ messages: [{ role: "user", content: "a" }, "b"] }, "message 2 is a string, not an object"],
    [{ messages: [{ role: "user", content: "a" }, {}] }, "message 2 has role absent"],
  ])("are refused with %j", async (row, reason) => {
    expect(await asked({ instruction: "z" }, row)).toContain(`row 2: `);
    expect(await asked({ instruction: "z" }, row)).toContain(reason);
  });
});
