/** Generation from files to files: formats, records, resumption, refusals. A scripted engine answers; one test runs the real one. */
import { existsSync, readFileSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type MockScript, mockEngine } from "../../test/mock-engine.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { Engine } from "../engine/engine.js";
import type { Decoding, GenerateRequest } from "../engine/requests.js";
import { answerLineSchema, generateRunSchema, outputSchema, traceLineSchema } from "../records/outputs.js";
import { Interrupted } from "../util/errors.js";
import { type GenerateOptions, generate, generatePaths } from "./generate.js";

const model = join(import.meta.dirname, "..", "..", "test", "fixtures", "models", "llama");
const files = temporaryFolder();
const prompts = [
  { id: "a", instruction: "  Name a colour.\n", dataset: "colours" },
  { instruction: "Name a sea." },
  { id: "a", instruction: "Name a bread." },
];
const base = { model, prompts, batch: 2 } satisfies Partial<GenerateOptions>;
let next = 0;
const freshOut = (): string => files.path(`outputs-${next++}.json`);
const lines = (text: string): unknown[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/** Answers with the second to last ids of the prompt; keeps what it was asked. */
function scripted(options: Pick<MockScript, "logitRules" | "threads"> = {}) {
  const asked: GenerateRequest[] = [];
  const given: Decoding[] = [];
  const mock = mockEngine({
    logitRules: true,
    ...options,
    answer: (request) => request.promptIds.slice(2, 5),
    order: (all) => [...all].reverse(),
  });
  const engine: Engine = {
    ...mock,
    async open(directory) {
      const opened = await mock.open(directory);
      return {
        ...opened,
        generate: (requests, engineOptions) => {
          asked.push(...requests);
          given.push(engineOptions);
          return opened.generate!(requests, engineOptions);
        },
      };
    },
  };
  return { engine, asked, given, open: () => mock.held() };
}

describe("outputs", () => {
  it("are AlpacaEval's, in the order of the prompts, with tokens and stop; the record says how they came about", async () => {
    const out = freshOut();
    const { engine, asked, given, open } = scripted();
    const { outputs, run } = await generate({ ...base, out, engine, rules: "paper", disableRules: ["eos"] });
    expect(JSON.parse(readFileSync(out, "utf8"))).toEqual(outputs);
    for (const output of outputs) outputSchema.parse(output);
    expect(outputs.map(({ instruction, dataset, generator }) => [instruction, dataset, generator])).toEqual([
      ["  Name a colour.\n", "colours", "llama+paper-eos"],
      ["Name a sea.", undefined, "llama+paper-eos"],
      ["Name a bread.", undefined, "llama+paper-eos"],
    ]);
    expect(outputs.every(({ tokens, stop }) => tokens === 3 && stop === "eos")).toBe(true);
    const record = generateRunSchema.parse(JSON.parse(readFileSync(generatePaths(out).run, "utf8")));
    expect(record).toEqual(run);
    expect(record.rules).toMatchObject({ name: "paper", path: "paper", disabled: ["eos"] });
    expect(record.outcome).toEqual({ eos: 3, length: 0, tokens: 9, computed: 3, reused: 0, duplicates: 0 });
    expect(existsSync(generatePaths(out).partial)).toBe(false);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(3);
    // Rules without an EOS rule hardly ever stop by themselves.
    expect(given[0]).toMatchObject({
      maxNewTokens: 512,
      stopIds: [2],
      temperature: 0,
      seed: 0,
      batch: 2,
      trace: false,
    });
    expect(open()).toBe(0);
  });

  it.each([
    [{}, 8192],
    [{ rules: "paper" }, 8192],
    [{ rules: "paper", disableRules: ["diversity"] }, 8192],
    [{ rules: "reference", disableRules: ["eos"], maxNewTokens: 7 }, 7],
  ])("%j: at most %i new tokens", async (options, expected) => {
    const { engine, given } = scripted();
    await generate({ ...base, ...options, engine });
    expect(given[0]?.maxNewTokens).toBe(expected);
  });

  it("trim instructions, but not in the preset reference; raw prompts have no template", async () => {
    const first = async (options: Partial<GenerateOptions>) => {
      const { engine, asked } = scripted();
      await generate({ ...base, ...options, limit: 1, engine });
      return asked[0]!;
    };
    const [paper, reference, raw] = [await first({}), await first({ preset: "reference" }), await first({ raw: true })];
    expect(reference.promptIds.length).toBeGreaterThan(paper.promptIds.length);
    expect(raw.promptIds.length).toBeLessThan(paper.promptIds.length);
    expect(raw.promptIds[0]).toBe(1);
    expect(raw.conversationIds).toEqual(raw.promptIds.slice(1));
    expect((await first({ raw: true, bos: "never" })).promptIds).toEqual(raw.conversationIds);
  });

  it("of equal prompts are computed once where nothing is drawn, and each by itself where something is", async () => {
    const twice = [{ instruction: "Name a sea." }, { instruction: "Name a sea." }];
    const [greedy, drawn] = [scripted(), scripted()];
    const { outputs, run } = await generate({ ...base, prompts: twice, engine: greedy.engine });
    expect(run.outcome).toMatchObject({ computed: 1, reused: 0, duplicates: 1 });
    await generate({ ...base, prompts: twice, engine: drawn.engine, temperature: 1 });
    expect([outputs.length, greedy.asked.length, drawn.asked.length]).toEqual([2, 1, 2]);
  });
});

/** Answers so many prompts, and is stopped. */
function stoppingAfter(after: number) {
  const controller = new AbortController();
  const { engine } = scripted();
  const halting: Engine = {
    ...engine,
    async open(directory) {
      const opened = await engine.open(directory);
      return {
        ...opened,
        async *generate(requests, options) {
          let given = 0;
          for await (const result of opened.generate!(requests, options)) {
            if (given++ === after) controller.abort(new Interrupted("kept"));
            options.signal?.throwIfAborted();
            yield result;
          }
        },
      };
    },
  };
  return { engine: halting, signal: controller.signal };
}

describe("a stopped run", () => {
  it("keeps finished answers, and the next computes the rest: the same bytes as a run in one go", async () => {
    const [whole, out] = [freshOut(), freshOut()];
    await generate({ ...base, out: whole, engine: scripted().engine });
    const { engine, signal } = stoppingAfter(2);
    await expect(generate({ ...base, out, engine }, { signal })).rejects.toThrow(Interrupted);
    expect(existsSync(out)).toBe(false);
    const partial = generatePaths(out).partial;
    expect(lines(await readFile(partial, "utf8")).map((line) => answerLineSchema.parse(line)).length).toBe(2);
    await appendFile(partial, '{"key":"torn'); // as a kill in the middle of a write leaves it
    const again = scripted();
    const { run } = await generate({ ...base, out, engine: again.engine, batch: 1 });
    expect([again.asked.length, run.outcome.computed, run.outcome.reused]).toEqual([1, 1, 2]);
    expect(await readFile(out, "utf8")).toBe(await readFile(whole, "utf8"));
    expect(existsSync(partial)).toBe(false);
  });

  it.each([
    [{ maxNewTokens: 2 }, 3],
    [{ rules: "paper" }, 3],
    [{ temperature: 1 }, 3],
    [{ preset: "reference" as const }, 1], // it trims nothing of the two that are there
    [{ prompts: [...prompts].reverse() }, 1],
    [{ force: true }, 1], // replaces a result, and there is none yet
  ])("is resumed as far as %j leaves answers as they are: %i are computed", async (change, computed) => {
    const out = freshOut();
    const { engine, signal } = stoppingAfter(2);
    await expect(generate({ ...base, out, engine }, { signal })).rejects.toThrow(Interrupted);
    const again = scripted();
    await generate({ ...base, ...change, out, engine: again.engine });
    // Answered in reverse: the first of the three prompts was missing.
    expect(again.asked.length).toBe(computed);
  });
});

it("is not resumed by an engine whose bits are others", async () => {
  const out = freshOut();
  const { engine, signal } = stoppingAfter(2);
  await expect(generate({ ...base, out, engine }, { signal })).rejects.toThrow(Interrupted);
  const again = scripted({ threads: 2 });
  await generate({ ...base, out, engine: again.engine });
  expect(again.asked.length).toBe(3);
});

describe("refusals, before anything is computed", () => {
  const refused = async (options: Partial<GenerateOptions>) => {
    const { engine, asked } = scripted();
    const message = await generate({ ...base, engine, ...options }).then(
      () => "accepted",
      (error: Error) => `${error.name}: ${error.message}`,
    );
    expect(asked).toEqual([]);
    return message;
  };

  it("a result that is there", async () => {
    const out = freshOut();
    await generate({ ...base, out, engine: scripted().engine });
    expect(await refused({ out })).toBe(`UserError: ${out} already exists`);
    const trace = files.write("trace.jsonl", "");
    expect(await refused({ out: freshOut(), trace })).toBe(`UserError: ${trace} already exists`);
  });
  it("outputs in place of the prompts, or of the trace, forced or not", async () => {
    const prompts = files.write("own.json", JSON.stringify([{ instruction: "a" }]));
    const out = freshOut();
    for (const force of [false, true]) {
      expect(await refused({ prompts, out: prompts, force })).toBe(`UserError: ${prompts} would replace an input`);
      expect(await refused({ out, trace: out, force })).toBe(`UserError: ${out} is named for two outputs`);
    }
    expect(JSON.parse(await readFile(prompts, "utf8"))).toEqual([{ instruction: "a" }]);
  });
  it("rules that the engine cannot honour", async () => {
    const { engine } = scripted({ logitRules: false });
    expect(await refused({ rules: "paper", engine })).toBe(
      "UserError: the engine mock cannot change logits at every step",
    );
  });
  it("an engine that does not generate, and one that is given together with another's precision", async () => {
    const silent = mockEngine({ without: ["generate"] });
    expect(await refused({ engine: silent })).toBe("UserError: the engine mock does not generate");
    expect(silent.held()).toBe(0);
    expect(await refused({ model: "nowhere", precision: "q8" })).toBe(
      "UserError: an engine is given, and precision as well",
    );
  });
  it("what does not fit into memory, before its files are hashed or a ledger is begun", async () => {
    const engine = mockEngine({ plan: { purpose: "running", bytes: 3e9, freeBytes: 1e9, smaller: () => "take less" } });
    expect(await refused({ engine })).toMatch(/needs about 3.00 GB of memory for running; 1.00 GB are free$/);
  });
  it.each([
    [{ disableRules: ["eos"] }, 'UserError: there are no rules to leave "eos" out of'],
    [{ rules: "paper", disableRules: ["Eos"] }, 'UserError: rules "paper" have no rule named "Eos" to disable'],
    [{ trace: "trace.jsonl" }, "UserError: a trace is written only beside outputs"],
    [{ prompts: [] }, "UserError: there are no prompts"],
  ])("%j", async (options, message) => expect(await refused(options)).toBe(message));

  it("leaves no empty ledger behind when the engine refuses", async () => {
    const out = freshOut();
    const failing: Engine = { ...scripted().engine, open: () => Promise.reject(new Error("no")) };
    await expect(generate({ ...base, out, engine: failing })).rejects.toThrow("no");
    expect(existsSync(generatePaths(out).partial)).toBe(false);
  });
});

it("runs the embedded engine by default, and traces why each token was taken", async () => {
  const [out, trace] = [freshOut(), files.path("why.jsonl")];
  const source = files.write("prompts.txt", "Name a colour.\n\nName a sea.\n");
  const options = { model, prompts: source, out, trace, threads: 1, maxNewTokens: 5, rules: "paper" };
  const { outputs } = await generate(options);
  const traced = lines(await readFile(trace, "utf8")).map((line) => traceLineSchema.parse(line));
  expect(traced.map(({ id, instruction }) => [id, instruction])).toEqual([
    ["prompt_0", "Name a colour."],
    ["prompt_1", "Name a sea."],
  ]);
  traced.forEach(({ steps, stop }, i) => {
    expect(steps.length).toBe(outputs[i]!.tokens + (stop === "eos" ? 1 : 0));
    for (const step of steps) expect(step.logprob).toBeGreaterThanOrEqual(step.runner_up.logprob); // greedy
  });
});
