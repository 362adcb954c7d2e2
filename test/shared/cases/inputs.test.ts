/** Files that people have: rows, models, annotations. Needs ../shared/cases. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { IGNORE } from "../../../src/records/row.js";
import { firstPartOfGguf } from "../../small-gguf.js";
import { anyModel, type Ended, expectRefused, openBench, readRows, reason, tinyFile } from "./cases.js";

vi.setConfig({ testTimeout: 240_000 });

const bench = openBench();
const render = (data: string, folder: string, model = anyModel): Promise<Ended> =>
  bench.run(["render", "--model", model, "--data", data, "--out", "r.jsonl"], folder);

/** A line that `tacit render` writes. */
interface Rendered {
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
  readonly prompt_tokens: number;
}
const supervised = ({ labels }: Rendered): number[] => labels.filter((label) => label !== IGNORE);
const said = ({ stdout, stderr }: Ended): string => `${stdout}${stderr}`;

describe.skipIf(reason !== "")(`cases of data${reason}`, () => {
  it.each([
    ["rows.jsonl", /input/],
    ["system.jsonl", /system|history/],
    ["both.jsonl", /messages/],
  ])("data-input-dropped, %s: what stands beside the instruction is used, refused or counted", async (file, field) => {
    const folder = bench.copy("data-input-dropped");
    const checked = await bench.run(["data", "check", file], folder);
    const rendered = await render(file, folder);
    if (rendered.status === 2) {
      expectRefused(rendered, field);
      expect([checked.status, said(checked)]).toEqual([2, expect.stringMatching(field)]);
      return;
    }
    const prompts = readRows<Rendered>(join(folder, "r.jsonl")).map((row) =>
      row.input_ids.slice(0, row.prompt_tokens).join(),
    );
    const joined = file === "rows.jsonl" && new Set(prompts).size === 2;
    if (!joined) expect(said(rendered)).toMatch(field);
  });

  it("data-input-dropped, prompts: the same for what is to be answered", async () => {
    const folder = bench.copy("data-input-dropped");
    const args = [
      "generate",
      "--model",
      anyModel,
      "--prompts",
      "prompts.json",
      "--out",
      "o.json",
      "--max-new-tokens",
      "8",
    ];
    const ended = await bench.run(args, folder);
    if (ended.status === 2) return expectRefused(ended, /input/);
    const outputs = JSON.parse(readFileSync(join(folder, "o.json"), "utf8")) as { instruction: string }[];
    const joined = outputs.every(({ instruction }, i) => instruction.includes(["a carp", "a horse"][i]!));
    if (!joined) expect(said(ended)).toMatch(/input/);
  });

  it("data-one-line-array-place: the bad row is named by its place in the array", async () => {
    const ended = await bench.run(["data", "check", "rows.json"], bench.copy("data-one-line-array-place"));
    expect(ended.status).toBe(2);
    expect(said(ended)).toMatch(/row 2|rows\.json:1:3\d|column 3\d/);
  });

  it("data-one-line-array-place: so it is in annotations", async () => {
    const folder = bench.copy("winrate-zero-one-scale");
    const path = join(folder, "annotations.json");
    const rows = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>[];
    rows[6]!.output_2 = 7;
    writeFileSync(path, JSON.stringify(rows));
    expectRefused(await bench.run(["winrate", "annotations.json", "--lc", "none"], folder), /row 7/);
  });

  it("data-turn-weight-ignored: a turn of weight 0 carries no loss, or the row is refused", async () => {
    const folder = bench.copy("data-turn-weight-ignored");
    const ended = await render("rows.jsonl", folder);
    if (ended.status === 2) return expectRefused(ended, /weight|train/);
    const rows = readRows<Rendered>(join(folder, "r.jsonl"));
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      const ids = supervised(row);
      expect(ids.length).toBeLessThanOrEqual(3); // "d" and its EOS
      expect(row.input_ids.slice(-ids.length)).toEqual(ids);
    }
  });
});

/** A model folder's weights under other names. */
function rename(folder: string, change: (name: string) => string): void {
  const path = join(folder, "model.safetensors");
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<string, unknown>;
  const renamed = Object.entries(header).map(([name, value]) => [name === "__metadata__" ? name : change(name), value]);
  const text = Buffer.from(JSON.stringify(Object.fromEntries(renamed)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([size, text, bytes.subarray(8 + length)]));
}

describe.skipIf(reason !== "")(`cases of models${reason}`, () => {
  const score = (folder: string): Promise<Ended> =>
    bench.run(["score", "--model", "model", "--input", "pr.jsonl", "--out", "s.jsonl", "--force"], folder);
  const logprobs = (folder: string): number[] =>
    readRows<{ logprobs: number[] }>(join(folder, "s.jsonl")).flatMap((row) => row.logprobs);

  it("gguf-split: one part of two is named as that", async () => {
    bench.folder.write("small-00001-of-00002.gguf", firstPartOfGguf());
    const ended = await bench.run(
      ["models", "import", "small-00001-of-00002.gguf", "--out", "o"],
      bench.folder.path(""),
    );
    expectRefused(ended, /1 of 2/, /merge/);
    expect(ended.stderr).not.toMatch(/fetch the file again|lacks tensor/);
  });

  it.each(["generate", "score", "rank"])(
    "model-lora-folder: %s says that it is an adapter, and on which base",
    async (command) => {
      const folder = bench.copy("model-lora-folder");
      const inputs = {
        generate: ["--prompts", "prompt1.json", "--out", "o"],
        score: ["--input", tinyFile("answers.jsonl"), "--out", "o"],
        rank: ["--data", tinyFile("answers.jsonl")],
      }[command]!;
      expectRefused(await bench.run([command, "--model", "adapter", ...inputs], folder), /adapter/i, /some\/base/);
    },
  );

  it.each(["_orig_mod.", "module.", "language_model."])(
    "model-prefix: names that begin with %s are read, or that is said",
    async (prefix) => {
      const folder = bench.copy("model-prefix");
      rename(join(folder, "model"), (name) => name.replace("_orig_mod.", prefix));
      const ended = await score(folder);
      expect(ended.stderr).not.toMatch(/not complete|fetch/);
      if (ended.status === 2) return expectRefused(ended, new RegExp(prefix.replaceAll(".", "\\.")));
      const read = logprobs(folder);
      rename(join(folder, "model"), (name) => name.replace(prefix, ""));
      await score(folder);
      expect(read).toEqual(logprobs(folder));
    },
  );

  // Transformers 5.24, which does not tie what differs.
  const WITH_HEAD = [-9.3675, -8.0855, -7.1104, -9.1402];

  it("model-tied-head-differs: score uses the stored head and says so", async () => {
    const folder = bench.copy("model-tied-head-differs");
    const ended = await score(folder);
    expect(ended.status).toBe(0);
    expect(ended.stderr).toMatch(/lm_head|head/);
    logprobs(folder).forEach((value, i) => void expect(Math.abs(value - WITH_HEAD[i]!)).toBeLessThan(1e-3)); // stored to 4 decimals
  });

  it("model-tied-head-differs: what is tuned from it keeps its head, untied", async () => {
    const folder = bench.copy("model-tied-head-differs");
    const ended = await bench.run(
      [
        ...["tune", "--model", "model", "--data", tinyFile("answers.jsonl"), "--objective", "response", "--limit", "2"],
        ...["--epochs", "1", "--lr", "1e-12", "--threads", "1", "--out", "tuned"],
      ],
      folder,
    );
    expect(ended.status, ended.stderr).toBe(0);
    const config = JSON.parse(readFileSync(join(folder, "tuned", "config.json"), "utf8")) as Record<string, unknown>;
    expect(config.tie_word_embeddings).toBe(false);
    const args = ["score", "--model", "tuned", "--input", "pr.jsonl", "--out", "s.jsonl"];
    expect((await bench.run(args, folder)).status).toBe(0);
    logprobs(folder).forEach((value, i) => void expect(Math.abs(value - WITH_HEAD[i]!)).toBeLessThan(1e-3));
  });

  it("tokenizer-added-tokens-decoder: tokens that stand only there are tokens, and its flags decide", async () => {
    const folder = bench.copy("tokenizer-added-tokens-decoder");
    const ended = await render("rows.jsonl", folder, "model");
    expect(ended.status, ended.stderr).toBe(0);
    const [row] = readRows<Rendered>(join(folder, "r.jsonl"));
    expect(supervised(row!).slice(0, -1)).toEqual([1501, 66, 1502, 67]); // Transformers 4.57 and 5.24; then the EOS
    expect(row!.input_ids).not.toContain(1500); // a user's text is text
  });
});

describe.skipIf(reason !== "")(`cases of win rates${reason}`, () => {
  it("winrate-zero-one-scale: preferences of 0 and 1 are not taken for draws, and --scale 0..1 reads them", async () => {
    const folder = bench.copy("winrate-zero-one-scale");
    expectRefused(await bench.run(["winrate", "annotations.json", "--lc", "none"], folder), /--scale 0\.\.1/);
    const args = ["winrate", "annotations.json", "--lc", "none", "--scale", "0..1", "--json"];
    const { status, stdout, stderr } = await bench.run(args, folder);
    expect(status, stderr).toBe(0);
    expect(JSON.stringify(JSON.parse(stdout))).toMatch(/"win_rate":25[,}]/); // 3 of 12
  });

  it("break/lcdata-infinite: a gamed baseline with an infinite value is refused, with its place", async () => {
    const folder = bench.copy("break/lcdata-infinite");
    const rows = Array.from({ length: 12 }, (_, i) => ({
      ...{
        instruction: `Question ${i}`,
        output_1: "long text",
        generator_1: "base",
        output_2: "x".repeat(i),
        generator_2: "mine",
      },
      ...{ annotator: "j", preference: i < 4 ? 2 : 1 },
    }));
    writeFileSync(join(folder, "a.json"), JSON.stringify(rows));
    const ended = await bench.run(["winrate", "a.json", "--lc", "v1", "--lc-data", "."], folder);
    expectRefused(ended, /df_gamed\.csv/, /42|infin|e9996/); // the file's line 42
  });

  it.each([
    ["score", ["--input", "rows.json", "--out", "o.jsonl"]],
    ["rank", ["--data", "rank.json", "--against", "1"]],
    ["generate", ["--prompts", "prompts.json", "--max-new-tokens", "4", "--out", "o.json"]],
    ["generate", ["--prompts", "prompts.jsonl", "--max-new-tokens", "4", "--out", "o.json"]],
  ])("break/score-dup-id: %s %j takes equal ids, or refuses them by name", async (command, more) => {
    const folder = bench.copy("break/score-dup-id");
    const ended = await bench.run([command, "--model", anyModel, "--threads", "1", ...more], folder);
    if (ended.status === 2) return expectRefused(ended, /"q"/);
    expect(existsSync(join(folder, "o.jsonl")) ? readRows(join(folder, "o.jsonl")).length : 2).toBe(2);
  });
});
