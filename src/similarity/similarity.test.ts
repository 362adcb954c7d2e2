import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { rankCorrelation } from "../stats/rank-correlation.js";
import { adherence, extremes } from "./adherence.js";
import { type Embedder, embedTexts, type VectorCache } from "./embeddings.js";
import { serverEmbedder } from "./server.js";
import { centroid, cosine, normalized } from "./vectors.js";

const unit = (...values: number[]): Float64Array => normalized(values);
const point = (x: number, y: number) => ({ x, y, toTask: y, toReference: undefined });

describe("vectors", () => {
  it("have length 1; a mean of cosines is the cosine with the centroid", () => {
    const component = fc.double({ min: -1, max: 1, noNaN: true });
    const vector = fc.array(component, { minLength: 3, maxLength: 3 }).filter((v) => Math.hypot(...v) > 0.01);
    fc.assert(
      fc.property(vector, fc.array(vector, { minLength: 1, maxLength: 6 }), (one, many) => {
        const others = many.map((v) => normalized(v));
        const mean = others.reduce((sum, other) => sum + cosine(normalized(one), other), 0) / others.length;
        expect(cosine(normalized(one), centroid(others))).toBeCloseTo(mean, 12);
        expect(cosine(normalized(one), normalized(one))).toBeCloseTo(1, 12);
      }),
    );
  });
  it("without a direction are refused", () => {
    expect(() => normalized([0, 0])).toThrow("an embedding has length 0");
    expect(() => normalized([1, Number.NaN])).toThrow("length NaN");
  });
});

describe("adherence", () => {
  const input = {
    instructions: [unit(1, 0), unit(0, 1)],
    responses: [unit(1, 0), unit(3, 4)],
    taskInstructions: [unit(1, 0), unit(0, 1)],
    taskResponses: [unit(1, 0)],
    referenceResponses: [unit(0, 1), unit(1, 0)],
  };
  it("a case by hand", () => {
    expect(adherence(input, "mean")).toEqual([
      { x: 0.5, y: 0.5, toTask: 1, toReference: 0.5 },
      { x: 0.5, y: expect.closeTo(-0.1, 12) as number, toTask: 0.6, toReference: expect.closeTo(0.7, 12) as number },
    ]);
    expect(adherence(input, "max").map(({ x, y }) => [x, Number(y.toFixed(12))])).toEqual([
      [1, 0],
      [1, -0.2],
    ]);
  });
  it("without a reference is the similarity to the task alone", () => {
    const [first] = adherence({ ...input, referenceResponses: undefined }, "mean");
    expect(first).toEqual({ x: 0.5, y: 1, toTask: 1, toReference: undefined });
  });
  it("names the extremes, ties by their order", () => {
    const points = [point(1, 5), point(3, 1), point(2, 1), point(3, 0)];
    expect(extremes(points, 1)).toEqual({
      highest_x: [1],
      median_x: [3],
      lowest_x: [0],
      highest_y: [0],
      lowest_y: [3],
    });
    expect(extremes(points, 9).highest_x).toEqual([1, 3, 2, 0]);
  });
});

describe("the rank correlation", () => {
  it("a case by hand, with a tie: ranks 1 2 3 4 against 1 2.5 2.5 4", () => {
    // Σ (a − 2.5)(b − 2.5) = 4.5, spreads 5 and 4.5
    const { estimate, low, high, n } = rankCorrelation([1, 2, 3, 4], [10, 20, 20, 40]);
    expect(estimate).toBeCloseTo(4.5 / Math.sqrt(5 * 4.5), 12);
    const half = 1.959963984540054 * Math.sqrt(1 + 0.9 / 2); // rho² = 0.9, n − 3 = 1
    expect([low, high, n]).toEqual([
      expect.closeTo(Math.tanh(Math.atanh(Math.sqrt(0.9)) - half), 12),
      expect.closeTo(Math.tanh(Math.atanh(Math.sqrt(0.9)) + half), 12),
      4,
    ]);
  });
  it("is 1 for anything that rises, and undefined where nothing varies", () => {
    const values = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 4, maxLength: 20 });
    fc.assert(
      fc.property(values, (x) => {
        const up = rankCorrelation(x, x.map(Math.exp));
        expect([up.estimate, up.low, up.high]).toEqual([1, 1, 1]);
        expect(
          rankCorrelation(
            x,
            x.map((v) => -v),
          ).estimate,
        ).toBe(-1);
      }),
    );
    expect(rankCorrelation([1, 1, 1], [1, 2, 3]).estimate).toBeUndefined();
    expect(rankCorrelation([], []).estimate).toBeUndefined();
  });
});

function memory(): VectorCache & { readonly known: Map<string, Float32Array> } {
  const known = new Map<string, Float32Array>();
  return { known, get: (key) => known.get(key), add: async (key, vector) => void known.set(key, vector) };
}

/** Vectors say which text they are of; results come back to front. */
function scripted(asked: string[][]): Embedder {
  return {
    computedBy: { files: "", engine: "scripted", precision: "f32", threads: null, device: "none", version: "1" },
    settings: null,
    async *embed(texts) {
      asked.push([...texts]);
      for (const [i, text] of [...texts.entries()].reverse()) {
        yield { id: String(i), vector: Float32Array.of(text.length, 1) };
      }
    },
  };
}

describe("embedTexts", () => {
  it("computes each text once, with its prefix, and gives all in order", async () => {
    const asked: string[][] = [];
    const cache = memory();
    const run = { cache, prefix: "p: " };
    const vectors = await embedTexts(scripted(asked), ["a", "bb", "a"], run);
    expect(asked).toEqual([["p: a", "p: bb"]]);
    expect(vectors.map(([x = 0, y = 1]) => Math.round(x / y))).toEqual([4, 5, 4]);
    await embedTexts(scripted(asked), ["bb", "ccc"], run);
    expect(asked[1]).toEqual(["p: ccc"]);
  });
});

const servers: ReturnType<typeof createServer>[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

async function embeddingServer(reply: (input: string[]) => unknown) {
  const inputs: string[][] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const { input } = JSON.parse(text) as { input: string[] };
      inputs.push(input);
      response.end(JSON.stringify(reply(input)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return { inputs, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

describe("a server's embeddings", () => {
  const collect = async (embedder: Embedder, texts: readonly string[]) => {
    const found: (readonly [string, number[]])[] = [];
    for await (const { id, vector } of embedder.embed(texts)) found.push([id, [...vector]]);
    return found;
  };
  it("come in batches, shortest text first, in whatever order the server lists them", async () => {
    const { inputs, baseUrl } = await embeddingServer((input) => ({
      data: input.map((text, index) => ({ index, embedding: [text.length, 1] })).reverse(),
    }));
    const found = await collect(serverEmbedder({ baseUrl, model: "m", batch: 2 }), ["ccc", "", "bb"]);
    expect(inputs).toEqual([[" ", "bb"], ["ccc"]]);
    expect(found).toEqual([
      ["1", [1, 1]],
      ["2", [2, 1]],
      ["0", [3, 1]],
    ]);
  });
  it.each([
    [{ data: [] }, "0 embeddings for 2 texts"],
    [{ embeddings: [] }, "the reply holds no embeddings"],
    [{ data: [0, 2].map((index) => ({ index, embedding: [1] })) }, "2 embeddings for 2 texts"],
    [{ data: [1, 1].map((index) => ({ index, embedding: [1] })) }, "2 embeddings for 2 texts, of which 1 have one"],
    [{ data: [0, 1e9].map((index) => ({ index, embedding: [1] })) }, "2 embeddings for 2 texts, of which 1 have one"],
    [{ data: [0, 1].map((index) => ({ index, embedding: [1e300] })) }, "numbers that are too large"],
    [{ error: { message: "no such model", code: "model_not_found" } }, "404 model_not_found: no such model"],
    [{ data: [1, 2].map((n, index) => ({ index, embedding: new Array<number>(n).fill(1) })) }, "2 embeddings for 2"],
  ])("that are not what was asked for are refused: %j", async (reply, message) => {
    const { baseUrl } = await embeddingServer(() => reply);
    await expect(collect(serverEmbedder({ baseUrl, model: "m" }), ["a", "b"])).rejects.toThrow(message);
  });
});
