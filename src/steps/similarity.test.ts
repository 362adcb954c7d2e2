import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelsFolder } from "../../test/parity/fixtures.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { StepEvent } from "../records/events.js";
import { similarityPointSchema } from "../records/similarity.js";
import { similarity, similarityPaths } from "./similarity.js";

const folder = temporaryFolder();
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const outputs = folder.write(
  "outputs.json",
  JSON.stringify([
    { instruction: "How do I bake bread?", output: "Mix flour and water.", generator: "m" },
    { instruction: "Write about the sea.", output: "The sea is wide.", generator: "m" },
    { instruction: "What is this?", output: "", generator: "m" },
  ]),
);
const task = folder.write(
  "task.jsonl",
  lines([{ instruction: "How do I bake bread?", response: "Mix flour and water." }]),
);
const reference = folder.write("reference.jsonl", lines([{ instruction: "x", response: "The sea is wide." }]));
const encoder = join(modelsFolder, "encoders", "bert");
const base = { outputs, task, reference, encoder, threads: 1 };

describe("similarity", () => {
  it("places every answer, keeps its embeddings, and takes them up again", async () => {
    const out = folder.path("run");
    const summary = await similarity({ ...base, out, show: 1 });
    const points = readFileSync(similarityPaths(out).points, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => similarityPointSchema.parse(JSON.parse(line)));
    expect(points).toHaveLength(3);
    expect(points[0]).toMatchObject({ index: 0, x: 1, to_task: 1 }); // the task's own instruction and response
    expect(points[1]).toMatchObject({ to_reference: 1 });
    for (const { y, to_task, to_reference } of points) expect(y).toBeCloseTo(to_task - to_reference!, 8);
    expect(summary).toMatchObject({
      outputs: { n: 3, empty: 1, generators: ["m"] },
      embedder: { kind: "encoder", pooling: "mean", max_tokens: 48, cut: 0 },
      dimensions: 24,
      texts: { distinct: 6, computed: 6, reused: 0 },
      extremes: { highest_x: [{ index: 0 }], lowest_y: [{ index: 1 }] },
    });
    expect(summary.extremes.highest_y[0]!.y).toBe(Math.max(...points.map(({ y }) => y)));
    const again = folder.path("again");
    const { embeddings } = similarityPaths(out);
    const second = await similarity({ ...base, out: again, cache: embeddings });
    expect(second.texts).toEqual({ distinct: 6, computed: 0, reused: 6 });
    expect(readFileSync(similarityPaths(again).points)).toEqual(readFileSync(similarityPaths(out).points));
    expect(existsSync(similarityPaths(again).embeddings)).toBe(false);
    await expect(similarity({ ...base, out })).rejects.toThrow("already exists");
  });

  it("depends on pooling, prefix and statistic, each recorded", async () => {
    const cache = folder.path("shared.jsonl");
    const notes: string[] = [];
    const plain = await similarity({ ...base, cache, out: folder.path("plain") });
    const cls = await similarity(
      { ...base, cache, out: folder.path("cls"), pooling: "cls" },
      { onEvent: (event) => "text" in event && notes.push(event.text) },
    );
    const prefixed = await similarity({ ...base, cache, out: folder.path("prefix"), prefix: "the sea: " });
    const nearest = await similarity({ ...base, cache, out: folder.path("max"), statistic: "max" });
    expect(notes).toEqual(["the encoder was made for pooling by mean, not by cls"]);
    expect([cls.texts.reused, prefixed.texts.reused, nearest.texts.reused]).toEqual([0, 0, 6]);
    expect([cls.embedder, prefixed.prefix, nearest.statistic]).toMatchObject([{ pooling: "cls" }, "the sea: ", "max"]);
    const means = [plain, cls, prefixed].map(({ mean_y }) => mean_y.estimate);
    expect(new Set(means).size).toBe(3);
  });

  it("counts texts that are cut, also where their vectors are there already", async () => {
    const cache = folder.path("cut.jsonl");
    const long = { ...base, cache, prefix: "the sea is wide and ".repeat(12) }; // more than the 48 tokens of this encoder
    const [first, second] = [
      await similarity({ ...long, out: folder.path("cut-1") }),
      await similarity({ ...long, out: folder.path("cut-2") }),
    ];
    expect([first.texts.computed, second.texts.computed]).toEqual([6, 0]);
    expect([first.embedder, second.embedder]).toMatchObject([{ cut: 6 }, { cut: 6 }]);
  });

  it("stops where it is told to, and what was embedded is kept", async () => {
    const controller = new AbortController();
    const out = folder.path("stopped");
    const ends: StepEvent[] = [];
    const onEvent = (event: StepEvent): void => {
      if (event.event === "progress") controller.abort(new Error("stopped"));
      if (event.event === "end") ends.push(event);
    };
    const watch = { signal: controller.signal, onEvent };
    await expect(similarity({ ...base, out }, watch)).rejects.toThrow("stopped");
    expect(existsSync(similarityPaths(out).summary)).toBe(false);
    expect(ends).toMatchObject([{ outcome: { kind: "interrupted" } }]);
    expect((await similarity({ ...base, out })).texts.reused).toBeGreaterThan(0);
  });

  it.each([
    [{ encoder: "http://127.0.0.1:1/v1" }, "names no model"],
    [{ encoder: "http://127.0.0.1:1/v1#m", pooling: "cls" as const }, "a server pools by itself"],
    [{ encoder: join(modelsFolder, "llama") }, "does not say how it is pooled"],
    [{ encoder: join(modelsFolder, "llama"), pooling: "mean" as const }, '"llama" is not a supported encoder'],
    [{ encoder: folder.path("nowhere"), pooling: "mean" as const }, "does not exist"],
  ])("refuses %j", async (changes, message) => {
    await expect(similarity({ ...base, out: folder.path(`refused ${message}`), ...changes })).rejects.toThrow(message);
  });
});
