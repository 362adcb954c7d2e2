/** Generation on tiny models: the same bits in any company, chance by name, limits, refusals, interruption. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { OpenedModel } from "../engine/opened.js";
import type { Decoding, GenerateRequest } from "../engine/requests.js";
import { openSessionCount } from "../runtime/cpu.js";
import { randomStream } from "../util/random.js";
import { embeddedEngine } from "./embedded.js";

const VOCABULARY = 397; // of llama and gemma3; gpt2 has 340
const POSITIONS = 128;
const folder = join(import.meta.dirname, "..", "..", "test", "fixtures", "models");
const random = randomStream(3, "prompts");
const idsOf = (length: number): number[] => Array.from({ length }, () => random.integer(340));
/** One token, around a chunk, around a block, and more. */
const lengths = [1, 2, 31, 32, 33, 34, 64, 65, 66, 90];
const requests = lengths.map((length, i) => ({ id: `p${i}`, promptIds: idsOf(length), conversationIds: [] }));
const greedy: Decoding = { maxNewTokens: 12, stopIds: [], temperature: 0, seed: 1, batch: 16, trace: true };

async function all(model: OpenedModel, asked: readonly GenerateRequest[], options: Partial<Decoding> = {}) {
  const found: Record<string, string> = {};
  for await (const result of model.generate!(asked, { ...greedy, ...options }))
    found[result.id] = JSON.stringify(result);
  return found;
}

// llama: grouped queries; gemma3: sliding windows of 8 and a full layer, shorter than a block and than the prompts.
// q8 against itself: its values are others, but as little a matter of company.
describe.each([
  ["llama", "f32"],
  ["gemma3", "f32"],
  ["llama", "q8"],
  ["gemma3", "q8"],
  ["gpt2", "q8"],
] as const)("%s, %s", (name, precision) => {
  let model: OpenedModel;
  beforeAll(async () => {
    model = await embeddedEngine({ threads: 2, precision }).open(join(folder, name));
  });
  afterAll(() => model[Symbol.asyncDispose]());

  it("gives a prompt the same ids and log-probabilities, bit for bit, whatever shares its batch", async () => {
    const together = await all(model, requests);
    expect(Object.keys(together).sort()).toEqual(requests.map(({ id }) => id).sort());
    expect(await all(model, requests, { batch: 3 })).toEqual(together);
    expect(await all(model, random.shuffle(requests), { batch: 4 })).toEqual(together);
    for (const request of requests.slice(0, 4)) {
      expect(await all(model, [request], { batch: 1 })).toEqual({ [request.id]: together[request.id] });
    }
  });

  it("answers two lists at the same time as it answers each by itself", async () => {
    const [some, others] = [requests.slice(0, 5), requests.slice(5)];
    const atOnce = await Promise.all([all(model, some), all(model, others, { batch: 2 })]);
    expect(atOnce).toEqual([await all(model, some), await all(model, others)]);
  });

  it("scores a response the same, bit for bit, alone, beside others and after a shared prompt", async () => {
    const rows = lengths.map((length, i) => ({
      id: `r${i}`,
      promptIds: requests[i - (i % 3)]!.promptIds.slice(0, 40),
      responseIds: idsOf(Math.min(length, 80)),
    }));
    const scores = async (asked: typeof rows) => {
      const found: Record<string, number[]> = {};
      for await (const { id, logprobs } of model.score!(asked)) found[id] = [...logprobs];
      return found;
    };
    const together = await scores(rows);
    expect(rows.every(({ id, responseIds }) => together[id]!.length === responseIds.length)).toBe(true);
    expect(await scores([...rows].reverse())).toEqual(together);
    for (const row of rows.slice(0, 4)) expect(await scores([row])).toEqual({ [row.id]: together[row.id] });
  });

  it("scores what it generates as it traced it", async () => {
    const [request] = requests.slice(5);
    const [result] = Object.values(await all(model, [request!])).map((text) => JSON.parse(text));
    for await (const { logprobs } of model.score!([{ ...request!, responseIds: result.ids }])) {
      result.trace.forEach((step: { baseLogprob: number }, i: number) => {
        expect(logprobs[i]).toBeCloseTo(step.baseLogprob, precision === "f32" ? 4 : 1); // chunks against single tokens: other sums
      });
    }
  });
});

describe("chance, limits and refusals", () => {
  let model: OpenedModel;
  beforeAll(async () => {
    model = await embeddedEngine({ threads: 1, precision: "f32" }).open(join(folder, "llama"));
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
    expect(openSessionCount()).toBe(0);
  });

  it("draws by seed and request, not by company; equal prompts under two names draw differently", async () => {
    const twins = ["a", "b"].map((id) => ({ ...requests[3]!, id }));
    const drawn = await all(model, [...requests, ...twins], { temperature: 1 });
    expect(await all(model, [...twins, ...requests].reverse(), { temperature: 1, batch: 3 })).toEqual(drawn);
    expect(JSON.parse(drawn.a!).ids).not.toEqual(JSON.parse(drawn.b!).ids);
    expect(await all(model, requests.slice(0, 1), { temperature: 1, seed: 2 })).not.toEqual({ p0: drawn.p0 });
  });

  it("draws each token as often as its probability says", async () => {
    const many = Array.from({ length: 1500 }, (_, i) => ({ ...requests[1]!, id: `${i}` }));
    const options = { temperature: 0.5, maxNewTokens: 1, batch: 250 };
    const counts = new Map<number, number>();
    const probabilities = new Map<number, number>();
    for await (const { ids, trace } of model.generate!(many, { ...greedy, ...options })) {
      counts.set(ids[0]!, (counts.get(ids[0]!) ?? 0) + 1);
      probabilities.set(ids[0]!, trace![0]!.baseLogprob);
    }
    // p(w) ∝ p_model(w)²; the sum over all tokens that can be drawn is not known, so frequencies are compared pairwise.
    const [first, second] = [...counts].sort((a, b) => b[1] - a[1]) as [[number, number], [number, number]];
    const expected = 2 * (probabilities.get(first[0])! - probabilities.get(second[0])!);
    const error = Math.sqrt(1 / first[1] + 1 / second[1]); // of a log ratio of two counts
    expect(Math.abs(Math.log(first[1] / second[1]) - expected)).toBeLessThan(4 * error);
  });

  it("is greedy in the limit of no temperature", async () => {
    const ids = (found: Record<string, string>) => requests.map(({ id }) => JSON.parse(found[id]!).ids);
    expect(ids(await all(model, requests, { temperature: 1e-4 }))).toEqual(ids(await all(model, requests)));
  });

  it("stops at any stop id, which is not part of the answer, and at the model's last position", async () => {
    const free = JSON.parse((await all(model, [requests[2]!])).p2!).ids as number[];
    const stopped = JSON.parse((await all(model, [requests[2]!], { stopIds: [9999, free[4]!] })).p2!);
    const at = free.indexOf(free[4]!);
    expect([stopped.ids, stopped.stop]).toEqual([free.slice(0, at), "eos"]);
    expect(stopped.trace.length).toBe(at + 1);
    const long = { id: "long", promptIds: idsOf(POSITIONS - 5), conversationIds: [] };
    const cut = JSON.parse((await all(model, [long])).long!);
    expect([cut.ids.length, cut.stop]).toEqual([5, "length"]);
  });

  it.each([
    [[], "prompt x has no tokens at all"],
    [idsOf(POSITIONS), "prompt x has 128 tokens; the model has 128 positions for it and its answer"],
    [[1, VOCABULARY], "prompt x has the id 397; the model's go from 0 to 396"],
  ])("refuses %j up front", async (promptIds, message) => {
    const asked = [requests[0]!, { id: "x", promptIds, conversationIds: [] }];
    await expect(all(model, asked)).rejects.toThrow(message);
  });

  const rules = { eosId: 2, constant: new Map(), eosRamps: [], usedTokens: [] };
  it.each<[Partial<Decoding>, string]>([
    [{ stopIds: [9999] }, "the end of an answer has the id 9999"],
    [{ rules: { ...rules, eosId: VOCABULARY } }, "a rule has the id 397; the model's go from 0 to 396"],
    [{ rules: { ...rules, constant: new Map([[400, -1]]) } }, "a rule has the id 400"],
    [{ temperature: 1e-39 }, "the temperature is 1e-39"],
    [{ temperature: -1 }, "the temperature is -1"],
    [{ temperature: Number.NaN }, "the temperature is NaN"],
  ])("refuses %o up front", async (options, message) => {
    await expect(all(model, requests.slice(0, 1), options)).rejects.toThrow(message);
  });

  it.each([
    [{ promptIds: [], responseIds: [1] }, "row x has no prompt ids"],
    [{ promptIds: [1], responseIds: idsOf(POSITIONS) }, "row x has 129 tokens; the model has 128 positions"],
    [{ promptIds: [1], responseIds: [-1] }, "row x has the id -1"],
  ])("refuses to score %j", async (row, message) => {
    const run = async () => {
      for await (const _ of model.score!([{ id: "x", ...row }]));
    };
    await expect(run()).rejects.toThrow(message);
  });

  it("stops between two tokens when it is told to, and says why", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    let tokens = 0;
    const onToken = () => {
      if (++tokens === 3) controller.abort(reason);
    };
    const run = all(model, requests.slice(0, 1), { onToken, signal: controller.signal });
    await expect(run).rejects.toBe(reason);
    expect(tokens).toBe(3);
  });
});

describe("weights that no number comes of", () => {
  const broken = temporaryFolder();
  const changed = (name: string, value: number, from: number): string => {
    const directory = broken.path("model");
    cpSync(join(folder, "llama"), directory, { recursive: true });
    overwriteTensor(join(directory, "model.safetensors"), name, value, from);
    return directory;
  };
  const scored = async (directory: string, precision: "f32" | "q8"): Promise<void> => {
    const model = await embeddedEngine({ threads: 1, precision }).open(directory);
    try {
      for await (const _ of model.score!([{ id: "x", promptIds: [1], responseIds: [5, 6] }]));
    } finally {
      await model[Symbol.asyncDispose]();
    }
  };

  it.each([
    ["model.norm.weight", Number.NaN, 0],
    ["model.norm.weight", Number.POSITIVE_INFINITY, 0],
    ["model.layers.0.mlp.up_proj.weight", Number.NaN, 3],
    ["lm_head.weight", Number.NaN, 396], // one token alone, which would never be the most probable one
  ])("%s of %d is refused by its file and name", async (name, value, from) => {
    const directory = changed(name, value, from);
    const message = `${join(directory, "model.safetensors")}: tensor ${name} holds ${value} at`;
    for (const precision of ["f32", "q8"] as const) await expect(scored(directory, precision)).rejects.toThrow(message);
  });

  it.each([0, 1])("finite ones that overflow make no answers at temperature %d, and no scores", async (temperature) => {
    const directory = changed("model.norm.weight", 3e38, 0);
    const model = await embeddedEngine({ threads: 1, precision: "f32" }).open(directory);
    const trace = temperature === 0;
    await expect(all(model, requests.slice(0, 2), { temperature, trace })).rejects.toThrow(
      /^p\d: the model's logits are NaN or infinite$/,
    );
    await model[Symbol.asyncDispose]();
    await expect(scored(directory, "f32")).rejects.toThrow("a log-probability is NaN");
  });
});

describe("temperatures", () => {
  let model: OpenedModel;
  beforeAll(async () => {
    model = await embeddedEngine({ threads: 1 }).open(join(folder, "llama"));
    await all(model, requests.slice(0, 1), { maxNewTokens: 1 }); // the first session makes the processor take denormals as zero
  });
  afterAll(() => model[Symbol.asyncDispose]());

  // By their bits, since they may be read when the processor does so already.
  it.each(["5e-324", "1e-310", "1e-40", "9e-7", "-1", "NaN", "Infinity"])("refuses %s", async (text) => {
    const temperature = text.startsWith("5e")
      ? doubleOf(1n)
      : text === "1e-310"
        ? doubleOf(0x1268_8b70_e62bn)
        : Number(text);
    await expect(all(model, requests.slice(0, 1), { temperature })).rejects.toThrow("the temperature is ");
  });
});

const doubleOf = (bits: bigint): number => new Float64Array(new BigUint64Array([bits]).buffer)[0]!;

/** Layout: https://github.com/huggingface/safetensors#format. */
function overwriteTensor(path: string, name: string, value: number, fromRow: number): void {
  const bytes = readFileSync(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString());
  const { data_offsets, shape } = header[name] as { data_offsets: [number, number]; shape: number[] };
  const [from, to] = data_offsets;
  for (let at = from + fromRow * ((to - from) / shape[0]!); at < to; at += 4)
    bytes.writeFloatLE(value, 8 + headerLength + at);
  writeFileSync(path, bytes);
}
