import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gpt2Like } from "../../test/small-tokenizers.js";
import { templateFrom } from "../options/template.js";
import { certificateSchema } from "../records/certificate.js";
import type { Example } from "../records/example.js";
import { rowSchema, toRowRecord } from "../records/row.js";
import { tokenizerFromJson } from "../text/huggingface.js";
import type { TextModel } from "../text/tokenizer.js";
import { Interrupted } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import { certificatePath, certifierFor, collectRows, type RenderRequest, renderRows, writeRows } from "./render.js";

const tokenizer = tokenizerFromJson(gpt2Like());
const model: TextModel = {
  tokenizer,
  bosId: undefined,
  eosId: tokenizer.idOf("<|endoftext|>")!,
  modelType: "gpt2",
  hash: "h",
};
const request: RenderRequest = { model, template: templateFrom(), objective: "instruction" };
const example = (i: number, response = `Answer ${i}.`): Example => ({
  id: String(i),
  messages: [
    { role: "user", content: `Question ${i}?` },
    { role: "assistant", content: response },
  ],
});
const examples = Array.from({ length: 20 }, (_, i) => example(i));

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tacit-render-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe("rendered rows", () => {
  it("are written with their certificate", async () => {
    const path = join(directory, "rows.jsonl");
    const seen: string[] = [];
    const written = await writeRows(path, examples, request, { watch: (row) => seen.push(row.id) });
    const text = await readFile(path, "utf8");
    const { rows, certificate } = await collectRows(examples, request);
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => rowSchema.parse(JSON.parse(line))),
    ).toEqual(rows.map(toRowRecord));
    expect(written).toEqual({ certificate, sha256: sha256(text) });
    expect(certificateSchema.parse(JSON.parse(await readFile(certificatePath(path), "utf8")))).toEqual(certificate);
    expect(seen).toEqual(examples.map(({ id }) => id));
    expect(certificate).toMatchObject({
      rows: 20,
      responses: 20,
      responses_stopped: 20,
      rows_cut: 0,
      max_length: 2048,
    });
  });

  it("leave nothing behind where one is wrong", async () => {
    const path = join(directory, "rows.jsonl");
    const broken = [...examples, { id: "x", messages: [] }];
    await expect(writeRows(path, broken, request)).rejects.toThrow("row x: the roles are none");
    expect(await readdir(directory)).toEqual([]);
  });

  it("leave nothing behind when stopped", async () => {
    const controller = new AbortController();
    let seen = 0;
    const watch = (): void => {
      seen += 1;
      if (seen === 3) controller.abort(new Interrupted("asked to stop"));
    };
    const path = join(directory, "rows.jsonl");
    const stopped = writeRows(path, examples, request, { watch, signal: controller.signal });
    await expect(stopped).rejects.toThrow(Interrupted);
    expect(seen).toBe(3);
    expect(await readdir(directory)).toEqual([]);
  });

  it("without loss are an error, or skipped and counted", async () => {
    const short = { ...request, maxLength: 8 };
    await expect(collectRows(examples, short)).rejects.toThrow("row 0: its prompt alone has 8 ids or more");
    const some = { ...request, maxLength: 60, skipEmpty: true };
    const long = { id: "long", messages: [{ role: "user", content: "word ".repeat(60) }, examples[0]!.messages[1]!] };
    const { rows, certificate } = await collectRows([...examples, long as Example], some);
    expect(rows.map(({ id }) => id)).toEqual(examples.map(({ id }) => id));
    expect(certificate).toMatchObject({ rows: 20, rows_skipped: 1 });
  });

  it("count characters that the vocabulary lacks, in what is rendered", async () => {
    const lacking: TextModel = { ...model, tokenizer: { ...tokenizer, drops: (text) => text.includes("17") } };
    const lossy = async (objective: "instruction" | "response", rows: Example[]) =>
      (await collectRows(rows, { ...request, model: lacking, objective })).certificate.rows_lossy;
    expect(await lossy("instruction", examples)).toBe(1);
    expect(await lossy("response", [example(17, "x")])).toBe(0);
  });

  it("come one at a time: no example is drawn before it is asked for", async () => {
    let drawn = 0;
    async function* endless(): AsyncGenerator<Example> {
      for (;;) yield example(drawn++);
    }
    const rows = renderRows(endless(), request, certifierFor(request));
    for (let i = 0; i < 3; i++) await rows.next();
    expect(drawn).toBe(3);
    await rows.return();
  });

  it("need no more memory for many than for few", { timeout: 120_000 }, async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    const answer = "and so on ".repeat(500);
    const heapAfter = async (n: number): Promise<number> => {
      async function* many(): AsyncGenerator<Example> {
        // Each with a long word of its own: what the tokenizer keeps of words must not keep their rows.
        for (let i = 0; i < n; i++)
          yield example(i, `${answer} unheardof${String(i).replaceAll(/\d/g, (d) => "abcdefghij"[+d]!)}`);
      }
      let held = 0;
      let count = 0;
      const watch = (): void => {
        count += 1;
        if (count < n) return;
        collectGarbage();
        held = process.memoryUsage().heapUsed;
      };
      await writeRows({ path: join(directory, `${n}.jsonl`), force: true }, many(), request, { watch });
      expect(held).toBeGreaterThan(0);
      return held;
    };
    await heapAfter(50); // warm: code and caches
    const few = await heapAfter(50);
    const many = await heapAfter(1000);
    // 950 rows of about 1,500 ids and as many labels, had they been held, would be 20 MB and more; their texts alone 4.6 MB.
    expect(many - few).toBeLessThan(3e6);
  });
});
