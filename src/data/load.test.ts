import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { exportData } from "./export.js";
import { collectExamples, loadExamples } from "./load.js";
import { loadPrompts } from "./prompts.js";
import { parseDataSpec } from "./spec.js";
import { responseOnly } from "./transforms.js";

const files = temporaryFolder();
const row = (n: number) => JSON.stringify({ instruction: `i${n}`, response: `r${n}` });
const rows = (count: number) => Array.from({ length: count }, (_, n) => `${row(n)}\n`).join("");

describe("loadExamples", () => {
  it("gives every example with its file and line", async () => {
    const path = files.write("good.jsonl", `\n${rows(2)}`);
    const { examples, report } = await collectExamples(path);
    expect(examples.map(({ id, at }) => [id, at])).toEqual([
      ["row_0", { file: path, line: 2, unit: "line" }],
      ["row_1", { file: path, line: 3, unit: "line" }],
    ]);
    expect(report).toMatchObject({ records: 2, examples: 2, bad: 0, stoppedAtLimit: false });
  });

  it("names file, line and reason of the first five bad rows, counts all, and gives none after the first", async () => {
    const path = files.write(
      "bad.jsonl",
      `${row(0)}\n${"{}\n".repeat(3)}${row(1)}\n${'{"instruction":1}\n'.repeat(4)}`,
    );
    const given: string[] = [];
    const load = async () => {
      for await (const example of loadExamples(path)) given.push(example.id);
    };
    await expect(load()).rejects.toThrow(
      /^.*bad\.jsonl has 7 bad rows: line 2: no "instruction" \(the row is empty\); line 3: .*; line 4: .*; line 6: "instruction" is a number, not a text; line 7: .*; and 2 more$/,
    );
    expect(given).toEqual(["row_0"]);
  });

  it("takes the limit from the front and does not look beyond it; the data set's own limit can be lifted", async () => {
    const path = files.write("limit.jsonl", `${rows(3)}bad\n`);
    const { examples, report } = await collectExamples(path, { limit: 3 });
    expect([examples.length, report.stoppedAtLimit]).toEqual([3, true]);
    const gsm = files.write("gsm.jsonl", `${JSON.stringify({ question: "q", answer: "a" })}\n`.repeat(1001));
    expect((await collectExamples(`gsm8k:${gsm}`)).examples.length).toBe(1000);
    expect((await collectExamples(`gsm8k:${gsm}`, { limit: "all" })).examples.length).toBe(1001);
    await expect(collectExamples(path, { limit: 0 })).rejects.toThrow("the limit is 0 rows");
  });

  it("counts what the paper leaves out, with places", async () => {
    const path = files.write(
      "poems.csv",
      'author,content,poem name,age,type\nus,"a\nb",One,x,y\nus,c,,x,y\nus,d,Two,x,y\n',
    );
    const { examples, report } = await collectExamples(`poetry:${path}`);
    expect(examples.map((example) => [example.id, example.at.line])).toEqual([
      ["merve_poetry_0", 2],
      ["merve_poetry_2", 5],
    ]);
    expect([...report.leftOut]).toEqual([
      ["no poem name", { count: 1, first: [{ file: path, line: 4, unit: "line" }] }],
    ]);
  });

  it("refuses rows without a response unless prompts were asked for", async () => {
    const path = files.write("prompts.jsonl", '{"instruction":"a"}\n');
    await expect(collectExamples(path)).rejects.toThrow("line 1: no response");
    expect((await collectExamples(path, { prompts: true })).examples[0]?.messages).toEqual([
      { role: "user", content: "a" },
    ]);
  });

  it("refuses a file without examples", async () => {
    await expect(collectExamples(files.write("empty.jsonl", ""))).rejects.toThrow("has no examples");
    const none = files.write("none.pgn", '[Event "A"]\n\n1-0\n');
    await expect(collectExamples(`chess:${none}`)).rejects.toThrow("has no examples (1 left out: no moves)");
  });

  it("reads Parquet by the paper's transforms", async () => {
    const from = async (name: string) =>
      (await collectExamples(`${name}:test/fixtures/data/${name === "chess" ? "pgn" : name}.parquet`)).examples.map(
        ({ id, at, messages }) => [id, at.line, ...messages.map((message) => message.content)],
      );
    expect((await from("gsm8k"))[6]).toEqual([
      "gsm8k_6",
      7,
      "Ada has 7 pens and buys 7 more. How many has she?",
      "Ada has 7+7=<<7+7=14>>14 pens.\n#### 14",
    ]);
    expect((await from("mbpp")).map(([id]) => id)).toEqual(["mbpp_0", "mbpp_373"]);
    expect((await from("lima"))[1]).toEqual(["lima_1", 2, "Hi ", " Hello!", "Bye", "Good bye, é🙂"]);
    expect(await from("recipes")).toEqual([
      ["kfr_0", 1, "Recipe for Toast", " - 1 slice of bread\n - baker's butter\n\n\nToast the bread."],
    ]);
    expect(await from("chess")).toEqual([
      ["chess_0", 1, '[WhiteElo "1500"]\n[BlackElo "1600"]\n', "1. e4 e5 2. Nf3 1-0"],
    ]);
    await expect(collectExamples("test/fixtures/data/invalid-utf8.parquet")).rejects.toThrow(
      'row 2: "response" is an object, not a text',
    );
  });

  it("holds a few megabytes of 80", async () => {
    const long = `${JSON.stringify({ instruction: "i", response: "r".repeat(2000) })}\n`;
    const path = files.write("long.jsonl", long.repeat(40_000));
    const before = process.memoryUsage().heapUsed;
    let examples = 0;
    let most = 0;
    for await (const _example of loadExamples(path)) {
      if (++examples % 1000 === 0) most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
    expect(examples).toBe(40_000);
    expect(most).toBeLessThan(40e6); // measured: below 20 MB; the texts together are 80 MB
  });
});

describe("parseDataSpec", () => {
  it.each([
    ["lima:a/b.jsonl", "lima", "a/b.jsonl", "jsonl"],
    ["LIMA:a.parquet", "lima", "a.parquet", "parquet"],
    ["chess:x.PGN", "chess", "x.PGN", "pgn"],
    ["chess:x.parquet", "chess", "x.parquet", "pgn-parquet"],
    ["poetry:x.csv", "poetry", "x.csv", "csv"],
    ["my.jsonl", "plain", "my.jsonl", "jsonl"],
    ["C:\\data\\my.json", "plain", "C:\\data\\my.json", "json"],
    ["./odd:name.jsonl", "plain", "./odd:name.jsonl", "jsonl"],
  ])("%s", (text, name, path, format) => {
    const spec = parseDataSpec(text);
    expect([spec.dataSet.name, spec.path, spec.format]).toEqual([name, path, format]);
  });

  it.each([
    ["lmia:a.jsonl", 'unknown data set "lmia"'],
    ["lima:", "lima: names no file"],
    ["", "no data was named"],
    ["data", "has no file ending"],
    ["poetry:poems.pgn", '"poems.pgn" has no file ending that says how to read poetry data'],
    ["constructor:x.jsonl", 'unknown data set "constructor"'],
  ])("refuses %j", (text, reason) => expect(() => parseDataSpec(text)).toThrow(reason));
});

describe("responseOnly", () => {
  it("empties every user message and nothing else, and leaves the example as it was", () => {
    const example = {
      id: "a",
      messages: ["q1", "r1", "q2", "r2"].map((content, i) => ({
        role: i % 2 === 0 ? ("user" as const) : ("assistant" as const),
        content,
      })),
    };
    expect(responseOnly(example).messages.map((message) => message.content)).toEqual(["", "r1", "", "r2"]);
    expect(example.messages[0]?.content).toBe("q1");
  });
});

describe("exportData", () => {
  it("writes what is read back as the same examples", async () => {
    const text = fc.string({ unit: "grapheme" });
    const turns = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(turns, { minLength: 1, maxLength: 4 }),
        fc.constantFrom("auto", "messages"),
        async (dialogues, layout) => {
          const examples = dialogues.map((pairs, n) => ({
            id: `x${n}`,
            messages: pairs.flatMap(([q, a]) => [
              { role: "user", content: q },
              { role: "assistant", content: a },
            ]),
          }));
          const path = files.write("in.jsonl", examples.map((example) => `${JSON.stringify(example)}\n`).join(""));
          const out = files.path("out.jsonl");
          await exportData(parseDataSpec(path), out, {
            objective: "instruction",
            layout: layout as "auto",
            force: true,
          });
          const read = (await collectExamples(out)).examples.map(({ id, messages }) => ({ id, messages }));
          expect(read).toEqual(examples);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("writes nothing at all where a row is bad", async () => {
    const path = files.write("half.jsonl", `${row(1)}\n{}\n`);
    const out = files.path("half-out.jsonl");
    await expect(exportData(parseDataSpec(path), out, { objective: "response", layout: "auto" })).rejects.toThrow(
      "1 bad row",
    );
    expect(() => readFileSync(out)).toThrow("ENOENT");
  });
});

describe("loadPrompts", () => {
  const all = async (path: string, limit?: number) => {
    const prompts = [];
    for await (const { id, instruction, dataset, at } of loadPrompts(path, limit === undefined ? {} : { limit })) {
      prompts.push([id, instruction, dataset, at.line]);
    }
    return prompts;
  };

  it("reads AlpacaEval's JSON, JSON lines, plain lines and named data sets", async () => {
    const outputs = files.write(
      "o.json",
      '[\n{"instruction":"a","output":"x","generator":"g","dataset":"koala"},\n{"instruction":"b"}]',
    );
    expect(await all(outputs)).toEqual([
      ["prompt_0", "a", "koala", 2],
      ["prompt_1", "b", undefined, 3],
    ]);
    expect(await all(files.write("p.jsonl", '{"id":"q","instruction":" a "}\n'))).toEqual([["q", " a ", undefined, 1]]);
    expect(await all(files.write("p.txt", "one\r\n\n two \n"))).toEqual([
      ["prompt_0", "one", undefined, 1],
      ["prompt_1", " two ", undefined, 3],
    ]);
    expect(await all(files.path("p.txt"), 1)).toHaveLength(1);
    expect(await all(`validation:${files.write("val.jsonl", '{"instruction":"a"}\n')}`)).toEqual([
      ["val_0", "a", undefined, 1],
    ]);
  });

  it("refuses an empty file and bytes that are no text", async () => {
    await expect(all(files.write("e.txt", "\n"))).rejects.toThrow("has no instructions");
    await expect(all(files.write("l.txt", Uint8Array.from([0x61, 0x0a, 0xff, 0x0a])))).rejects.toThrow(
      "l.txt:2: not valid UTF-8",
    );
  });
});
