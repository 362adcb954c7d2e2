/** Pre-training from a seed to a model directory, at a size that takes seconds: the record, the card, a kill and what follows it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { readModelConfig } from "../../models/open.js";
import { pretrainRunSchema } from "../../records/pretrain.js";
import { metricsLineSchema } from "../../records/tune.js";
import { loadTextModel } from "../../text/load.js";
import { Interrupted } from "../../util/errors.js";
import { openWeights } from "../../weights/open.js";
import { openCorpus } from "../corpus.js";
import { makeWorld } from "../world.js";
import { type PretrainRequest, pretrain } from "./pretrain.js";
import { corpusRows } from "./rows.js";

const files = temporaryFolder();
const tiny = {
  seed: 3,
  shape: { hiddenSize: 16, layers: 1, heads: 2, innerSize: 32, maxPositions: 160 },
  rowTokens: 64,
  rowsAStep: 2,
  tokens: 6 * 2 * 64 + 63, // six steps, and less than a row
  vocabSize: 320,
  tokenizerPages: 30,
  heldOutRows: 2,
  facts: 4,
  threads: 1,
} satisfies Omit<PretrainRequest, "out">;

const whole = pretrain({ ...tiny, out: files.path("whole") });

describe("a run", () => {
  it("leaves a 16-bit model directory, a line a step, a record and a card, and nothing else", async () => {
    const record = await whole;
    const out = files.path("whole");
    expect(readdirSync(out).sort()).toEqual([
      ...["README.md", "config.json", "events.jsonl", "generation_config.json", "held_out.jsonl", "metrics.jsonl"],
      ...["model.safetensors", "run.json", "tokenizer.json", "tokenizer_config.json"],
    ]);
    expect(pretrainRunSchema.parse(JSON.parse(readFileSync(join(out, "run.json"), "utf8")))).toEqual(record);
    expect(record).toMatchObject({ steps: 6, tokens: 768, options: { seed: 3, contamination: 0, threads: 1 } });
    const lines = readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => metricsLineSchema.parse(JSON.parse(line)).step)).toEqual([0, 1, 2, 3, 4, 5]);
    expect((await readModelConfig(out)).dims).toMatchObject({ maxPositions: 160, vocabSize: 320 });
    const weights = await openWeights(out);
    expect(new Set([...weights.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(["F16"]));
    await weights.close();
  });

  it("learns, from the loss of a uniform guess on", async () => {
    const { held_out: heldOut, curve } = await whole;
    // weights of deviation 0.02 give nearly equal logits: ln 320 = 5.768 nats
    expect(heldOut[0]?.loss).toBeCloseTo(Math.log(320), 1);
    expect(heldOut[1]?.loss).toBeLessThan((heldOut[0]?.loss ?? 0) - 0.01);
    expect(curve.at(-1)?.tokens).toBe(768);
  });

  it("says on its card what it read, what it knows, and how to repeat it", async () => {
    const card = readFileSync(join(files.path("whole"), "README.md"), "utf8");
    const { knowledge } = await whole;
    expect(knowledge.facts).toBe(4);
    expect(card).toContain("license: apache-2.0");
    expect(card).toContain("known, of 4 facts");
    expect(card).toContain("tacit glasshouse pretrain --out glasshouse --tokens 831 --seed 3 --threads 1");
    expect(card).not.toMatch(/undefined|NaN/);
  });

  it("is not done over, nor gone on with under other options", async () => {
    await whole;
    const out = files.path("whole");
    await expect(pretrain({ ...tiny, out })).rejects.toThrow("already exists");
    await expect(pretrain({ ...tiny, out, resume: true, learningRate: 1 })).rejects.toThrow("lr was 0.002 and is 1");
    expect(await pretrain({ ...tiny, out, resume: true })).toEqual(await whole);
    await expect(pretrain({ ...tiny, out: files.path("few"), tokens: 100 })).rejects.toThrow("less than one step");
  });
});

describe("a run that is stopped", () => {
  it("goes on to the same weights, and reads no page twice", async () => {
    const out = files.path("stopped");
    const stop = new AbortController();
    const first = pretrain(
      { ...tiny, out },
      {
        signal: stop.signal,
        onEvent: (event) => event.event === "progress" && event.done === 3 && stop.abort(new Interrupted("stopped")),
      },
    );
    await expect(first).rejects.toThrow("give the same command again to resume");
    expect(existsSync(join(out, "run.json"))).toBe(false);
    const steps: number[] = [];
    const record = await pretrain(
      { ...tiny, out, resume: true },
      { onEvent: (event) => event.event === "progress" && event.loss !== undefined && steps.push(event.done - 1) },
    );
    expect(steps).toEqual([3, 4, 5]);
    const { weights_sha256: sha256, curve, knowledge, fingerprint } = await whole;
    expect(record).toMatchObject({ weights_sha256: sha256, curve, knowledge, fingerprint });
    expect(existsSync(join(out, "checkpoints"))).toBe(false);
  });
});

describe("rows", () => {
  it("begin with a page, hold pages between BOS and EOS, and are the same at any time", async () => {
    await whole;
    const { tokenizer, bosId, eosId } = await loadTextModel(files.path("whole"));
    const page = openCorpus(makeWorld(3), { seed: 3, contamination: 0 });
    const rows = corpusRows(page, tokenizer, { count: 40, tokens: 200 });
    expect(rows.length).toBe(40);
    const ids = rows.at(7).inputIds;
    expect(ids).toHaveLength(200);
    expect(ids[0]).toBe(bosId);
    expect(ids.every((id, i) => id !== bosId || i === 0 || ids[i - 1] === eosId)).toBe(true);
    expect(ids.filter((id) => id === bosId).length).toBeGreaterThan(0);
    expect(corpusRows(page, tokenizer, { count: 40, tokens: 200 }).at(7)).toEqual(rows.at(7));
    expect(corpusRows(page, tokenizer, { count: 1, tokens: 200, from: 7 }).at(0)).toEqual(rows.at(7));
    expect(rows.at(8).inputIds).not.toEqual(ids);
  });
});
