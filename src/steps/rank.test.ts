import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type MockScript, mockEngine } from "../../test/mock-engine.js";
import { hashModel } from "../model-files/hash.js";
import { templateFrom } from "../options/template.js";
import type { Watch } from "../records/events.js";
import { rankPairSchema, rankSummarySchema, scoreLineSchema } from "../records/rank.js";
import { Interrupted } from "../util/errors.js";
import { rank, rankPaths } from "./rank.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tacit-rank-"));
  await writeModel(join(folder, "model"));
});

/** A byte-level vocabulary without merges: one token a byte, EOS 256. */
async function writeModel(directory: string): Promise<void> {
  const vocab = Object.fromEntries([...byteLetters().map((letter, byte) => [letter, byte] as const), ["<eos>", 256]]);
  const eos = {
    id: 256,
    content: "<eos>",
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
  const tokenizer = {
    version: "1.0",
    added_tokens: [eos],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", dropout: null, unk_token: null, fuse_unk: false, byte_fallback: false, vocab, merges: [] },
  };
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "tokenizer.json"), JSON.stringify(tokenizer));
  await writeFile(join(directory, "config.json"), JSON.stringify({ model_type: "gpt2", eos_token_id: 256 }));
  await writeFile(join(directory, "model.safetensors"), "weights");
}

/** GPT-2's letters for the 256 bytes. */
function byteLetters(): string[] {
  const shown = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(shown(byte) ? byte : next++));
}

async function writeData(rows: readonly object[]): Promise<string> {
  const path = join(folder, "data.jsonl");
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}

const countingTo = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `q${i}`,
    instruction: `count to ${i}`,
    response: ` ${"x".repeat(i + 1)} \n`,
  }));
const questions = countingTo(12);
const options = (over: object = {}) => ({
  model: join(folder, "model"),
  data: join(folder, "data.jsonl"),
  out: join(folder, "out"),
  template: templateFrom(),
  against: 3,
  ...over,
});

/** Likes a response of n + 1 letters after "count to n": the right one always wins by its mean. */
const script: MockScript = {
  logprobs: ({ promptIds, responseIds }) => {
    const text = String.fromCharCode(...promptIds);
    const n = Number(/count to (\d+)/.exec(text)?.[1]);
    return responseIds.map(() => -0.5 - Math.abs(responseIds.length - 2 - n));
  },
};
const linesOf = async (path: string): Promise<unknown[]> =>
  (await readFile(path, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);

describe("rank", () => {
  it("writes comparisons, summary and ledger that their schemas accept, and closes the model", async () => {
    await writeData(questions);
    const engine = mockEngine(script);
    const summary = await rank(options({ engine }));
    const paths = rankPaths(join(folder, "out"));
    const pairs = (await linesOf(paths.pairs)).map((line) => rankPairSchema.parse(line));
    expect(pairs).toHaveLength(36);
    expect(rankSummarySchema.parse(JSON.parse(await readFile(paths.summary, "utf8")))).toEqual(summary);
    expect((await linesOf(paths.scores)).map((line) => scoreLineSchema.parse(line))).toHaveLength(summary.scored);
    expect(engine.held()).toBe(0);
    const self = pairs.filter((pair) => pair.outcome === "self-draw").length;
    expect(summary.mean).toMatchObject({ greater: 36 - self, less: 0, ties: 0 });
    expect(summary.mean.rate_without_self_draws.estimate).toBe(1);
    expect(summary).toMatchObject({
      pairs: 36,
      self_draws: self,
      unscored: 0,
      reused: 0,
      merged: 0,
      options: {
        against: 3,
        limit: 1000,
        seed: 0,
        max_length: 2048,
        bos: "auto",
        threads: null,
        template: "{BOS}<|user|>\n{instruction}\n<|assistant|>\n{response}{EOS}",
      },
    });
  });

  it("gives the engine the rendered prompt, and the trimmed response with EOS", async () => {
    await writeData(questions.slice(0, 2));
    const engine = mockEngine(script);
    await rank(options({ engine, against: 1 }));
    const own = engine.scored
      .flat()
      .find(
        ({ promptIds, responseIds }) => String.fromCharCode(...promptIds).includes("to 1") && responseIds.length === 3,
      );
    expect(String.fromCharCode(...(own?.promptIds ?? []))).toBe("<|user|>\ncount to 1\n<|assistant|>\n");
    expect(own?.responseIds).toEqual([120, 120, 256]);
  });

  it("stopped and started again gives the same bytes and scores nothing twice, a torn last line included", async () => {
    await writeData(countingTo(40)); // more than are handed to the engine at once
    const whole = mockEngine(script);
    const expected = await rank(options({ engine: whole, out: join(folder, "whole") }));
    const controller = new AbortController();
    const first = mockEngine(script);
    const stop: Watch = {
      signal: controller.signal,
      onEvent(event) {
        if (event.event === "progress" && event.done >= 8) controller.abort(new Interrupted("kept"));
      },
    };
    await expect(rank(options({ engine: first }), stop)).rejects.toThrow(Interrupted);
    expect(first.held()).toBe(0);
    const paths = rankPaths(join(folder, "out"));
    await expect(readFile(paths.pairs)).rejects.toThrow(/ENOENT/);
    await appendFile(paths.partial, '{"key":"abc","su');
    const second = mockEngine(script);
    const steps: (readonly [number, number])[] = [];
    const summary = await rank(options({ engine: second }), {
      onEvent(event) {
        if (event.event === "begin") steps.push([event.reused, event.total]);
        if (event.event === "progress") steps.push([event.done, 40]);
      },
    });
    expect(steps).toEqual([
      [16, 40],
      [16, 40],
      [32, 40],
      [40, 40],
    ]);
    expect(summary.reused).toBe(first.scored.flat().length);
    expect(summary.scored).toBe(second.scored.flat().length);
    expect(summary.scored + summary.reused).toBe(expected.scored);
    const wholePaths = rankPaths(join(folder, "whole"));
    expect(await readFile(paths.pairs)).toEqual(await readFile(wholePaths.pairs));
    expect(await readFile(paths.scores)).toEqual(await readFile(wholePaths.scores));
  });

  it("scores of other weights are not taken for these", async () => {
    await writeData(questions);
    await rank(options({ engine: mockEngine(script) }));
    const { pairs, summary: old, scores, partial } = rankPaths(join(folder, "out"));
    await rm(pairs);
    await rm(old);
    await rename(scores, partial); // as an unfinished run leaves them
    await writeFile(join(folder, "model", "model.safetensors"), "other weights");
    const summary = await rank(options({ engine: mockEngine(script) }));
    expect(summary.reused).toBe(0);
  });

  it("--force replaces the results and takes nothing from them", async () => {
    await writeData(questions);
    const first = await rank(options({ engine: mockEngine(script) }));
    const again = await rank(options({ engine: mockEngine(script), force: true }));
    expect([again.scored, again.reused]).toEqual([first.scored, 0]);
    expect(await linesOf(rankPaths(join(folder, "out")).scores)).toHaveLength(first.scored);
  });

  it("without an --out writes nothing and gives the same numbers", async () => {
    await writeData(questions);
    const before = await readdir(folder, { recursive: true });
    const { out: _, ...printed } = options({ engine: mockEngine(script) });
    const summary = await rank(printed);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
    const written = await rank(options({ engine: mockEngine(script) }));
    expect({ ...summary, seconds: 0 }).toEqual({ ...written, seconds: 0 });
  });

  it("a pair longer than the model has positions is counted, and the limit that held is recorded", async () => {
    await writeData([
      { id: "a", instruction: "one", response: "ok" },
      { id: "b", instruction: "two", response: "y".repeat(100) },
    ]);
    const engine = mockEngine({ maxPositions: 80 });
    const summary = await rank(options({ engine, against: 4 }));
    expect(summary.options.max_length).toBe(80);
    expect(summary.unscored_reasons["too-long"]).toBeGreaterThanOrEqual(4);
    expect(engine.scored.flat().every((row) => row.promptIds.length + row.responseIds.length <= 80)).toBe(true);
    expect((await rank(options({ engine, maxLength: 60, force: true }))).options.max_length).toBe(60);
  });

  it("empty, overlong and dialogue rows are counted", async () => {
    await writeData([
      { id: "a", instruction: "one", response: "   " },
      { id: "b", instruction: "two", response: "y".repeat(100) },
      { id: "c", instruction: "three", response: "ok" },
      {
        id: "d",
        messages: [
          { role: "user", content: "four" },
          { role: "assistant", content: "first" },
          { role: "user", content: "more" },
          { role: "assistant", content: "last" },
        ],
      },
    ]);
    const engine = mockEngine();
    const summary = await rank(options({ engine, maxLength: 80, against: 4 }));
    expect(summary.data.multi_turn).toBe(1);
    expect(summary.unscored_reasons["empty-response"]).toBeGreaterThanOrEqual(4);
    expect(summary.unscored_reasons["too-long"]).toBeGreaterThanOrEqual(4);
    const responses = new Set(
      engine.scored.flat().map(({ responseIds }) => String.fromCharCode(...responseIds.slice(0, -1))),
    );
    expect([...responses].sort()).toEqual(["first", "ok"]);
  });

  it("refuses: results that are there, a single example, an engine that cannot score", async () => {
    await writeData(questions);
    await rank(options({ engine: mockEngine(script) }));
    await expect(rank(options({ engine: mockEngine(script) }))).rejects.toThrow(/pairs\.jsonl already exists/);
    await expect(rank(options({ engine: mockEngine(script), limit: 1, out: join(folder, "one") }))).rejects.toThrow(
      /gives 1 example/,
    );
    const deaf = mockEngine({ without: ["score"] });
    await expect(rank(options({ engine: deaf, out: join(folder, "deaf") }))).rejects.toThrow(/no log-probabilities/);
  });
});

it("--out FILE.jsonl names the comparisons; the others lie beside it", () => {
  expect(rankPaths("a/b.jsonl")).toEqual({
    pairs: "a/b.jsonl",
    summary: "a/b.summary.json",
    scores: "a/b.scores.jsonl",
    partial: "a/b.scores.partial.jsonl",
  });
});

it("a model's hash does not depend on its folder or on files that say nothing of it", async () => {
  const [a, b] = [join(folder, "model"), join(folder, "copy")];
  await writeModel(b);
  await writeFile(join(b, "README.md"), "a copy");
  expect(await hashModel(b)).toBe(await hashModel(a));
  await writeFile(join(b, "tokenizer_config.json"), "{}");
  expect(await hashModel(b)).not.toBe(await hashModel(a));
  await rm(join(b, "config.json"));
  await expect(hashModel(b)).rejects.toThrow(/no config\.json/);
});
