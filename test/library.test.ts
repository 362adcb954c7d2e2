/** The library's example: what the guide shows is what runs here. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  agreement,
  chat,
  checkData,
  choose,
  collectExamples,
  compare,
  explainRules,
  generate,
  importModel,
  inspectModel,
  judge,
  loadExamples,
  loadTextModel,
  openEngine,
  parseDataSpec,
  planStudy,
  rank,
  rephrase,
  report,
  runStudy,
  score,
  similarity,
  studyStatus,
  tune,
  UserError,
  verifyModel,
  winrate,
} from "tacit-lm";
import { describe, expect, it } from "vitest";
import { respond } from "../docs/examples/library.js";
import { ask, look, weigh } from "../docs/examples/parts.js";
import { carryOut } from "../docs/examples/study.js";
import { temporaryFolder } from "./temporary-folder.js";

const files = temporaryFolder();
const folder = files.path("library");
const assets = join(import.meta.dirname, "..", "assets");

it("runs the guide's example on the model in the package", async () => {
  const { run, output, score } = await respond("assets/stories260k", "assets/tiny/answers.jsonl", folder);
  expect(run.steps).toBe(15);
  expect(run.final_loss).toBeLessThan(2.5); // 4.3 before the first step
  expect(existsSync(join(folder, "tuned/model.safetensors"))).toBe(true);
  expect(output?.instruction).toBe("What is a bear?");
  expect(output?.tokens).toBeLessThanOrEqual(40);
  expect(score?.logprobs.length).toBe(score?.tokens);
  expect(score?.sum).toBeLessThan(0);
});

it("carries out a study from a script, and reports", async () => {
  const study = files.write(
    "study.yaml",
    `version: 1
name: scripted
about: Rules against none.
models: { base: { path: ${JSON.stringify(join(assets, "stories260k"))} } }
data: { prompts: ${JSON.stringify(join(assets, "tiny", "prompts.jsonl"))} }
arms: { untuned: { kind: untuned }, rules: { kind: rules } }
generation: { prompts: prompts, limit: 2, max_new_tokens: 6 }
judge: longer
comparisons: [{ arm: rules, against: untuned }]
`,
  );
  const { results, written } = await carryOut(study, files.path("scripted"));
  expect(results.state).toBe("finished");
  expect(results.comparisons.map(({ arm, pairs }) => [arm, pairs.length])).toEqual([["rules", 1]]);
  const request = { study, out: files.path("scripted/study") };
  expect((await studyStatus(request)).comparisons).toEqual(results.comparisons);
  expect(existsSync(join(written.out, written.html))).toBe(true);
});

it.each(["library", "study", "parts"])("the guide shows the text of %s.ts", (name) => {
  const code = readFileSync(`docs/examples/${name}.ts`, "utf8");
  expect(readFileSync("docs/guide/library.md", "utf8")).toContain(`\`\`\`ts\n${code}\`\`\``);
});

describe("the guide's other examples", () => {
  const model = "assets/stories260k";

  it("an answer comes in pieces, which are its text", async () => {
    const { text, stop, tokens } = await ask(model, "What is a bear?");
    const { outputs } = await generate({ model, prompts: [{ instruction: "What is a bear?" }], maxNewTokens: 20 });
    expect(text).toBe(outputs[0]?.output);
    expect([stop, tokens]).toEqual([outputs[0]?.stop, outputs[0]?.tokens]);
  });

  it("whoever stops reading stops the answer, and so does a signal", async () => {
    const stream = chat({ model, question: "Tell me a story.", maxNewTokens: 300 });
    for await (const _ of stream) break;
    expect(await stream.answer).toMatchObject({ stop: "interrupted" });
    const signal = AbortSignal.abort();
    expect(await chat({ model, question: "x", signal }).answer).toMatchObject({ stop: "interrupted", tokens: 0 });
  });

  it("a model that is not there is told by both", async () => {
    const stream = chat({ model: files.path("nowhere"), question: "x" });
    const pieces = async () => {
      for await (const _ of stream);
    };
    await expect(pieces()).rejects.toThrow(UserError);
    await expect(stream.answer).rejects.toThrow(UserError);
  });

  it("models, data and rules", async () => {
    const seen = await look(model, "assets/tiny/answers.jsonl");
    expect(seen).toMatchObject({ family: "llama", ok: true, examples: 40, bad: 0 });
    expect(seen.unresolved.length).toBeGreaterThan(0); // a vocabulary of 512
  });

  it("verdicts in memory count as those in files do", async () => {
    const {
      model: entry,
      agreed,
      overSeeds,
      chosen,
    } = await weigh(model, "assets/tiny/prompts.jsonl", files.path("weighed"));
    const [file] = (await winrate({ annotations: [files.path("weighed/judged/annotations.json")], lc: "none" })).models;
    expect(entry).toEqual({ ...file, name: "rules", file: "annotations 1" });
    expect(agreed).toMatchObject({ agreement: { estimate: 1 } });
    expect(overSeeds.mean).toBe(entry?.win_rate);
    expect(chosen).toBe(5);
  });
});

describe("mistakes in calls", () => {
  const model = "assets/stories260k";
  const prompts = [{ instruction: "a" }];
  const lineOf = async (work: () => unknown): Promise<string> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof UserError) return error.line;
      throw error;
    }
    return "accepted";
  };
  const wrong = (value: unknown): never => value as never;

  it.each<[unknown, string]>([
    [{ maxNewTokens: 0 }, "maxNewTokens is 0; give a whole number of 1 or more"],
    [{ maxNewTokens: 1.5 }, "maxNewTokens is 1.5"],
    [{ maxNewTokens: "8" }, 'maxNewTokens is "8"'],
    [{ temperature: -1 }, "temperature is -1; give a number of 0 or more"],
    [{ temperature: Number.NaN }, "temperature is NaN"],
    [{ temperature: Number.POSITIVE_INFINITY }, "temperature is Infinity"],
    [{ seed: null }, "seed is null"],
    [{ threads: 0 }, "threads is 0"],
    [{ limit: -3 }, "limit is -3"],
    [{ batch: 2 ** 40 }, "give a whole number from 1 to 1024"],
    [{ maxTokens: 5 }, 'generate has no option "maxTokens"'],
    [{ maxNewToken: 5 }, 'did you mean "maxNewTokens"?'],
    [{ max_new_tokens: 5 }, 'did you mean "maxNewTokens"?'],
    [{ prompts: undefined }, "prompts is missing"],
    [{ prompts: [5] }, "prompts is a list; give"],
    [{ prompts: [{}] }, 'prompt 1: no "instruction"'],
    [{ prompts: [{ instruction: "a", system: "S" }] }, 'prompt 1: "system" would be lost'],
    [{ prompts: "nowhere.jsonl" }, "nowhere.jsonl"],
    [{ model: "nowhere" }, "nowhere"],
    [{ model: null }, "model is null"],
    [{ raw: "yes" }, 'raw is "yes"; give true or false'],
    [{ precision: "q4" }, 'precision is "q4"; give f32 or q8'],
    [{ disableRules: "eos" }, 'disableRules is "eos"; give a list'],
    [{ engine: 5 }, "engine is 5"],
    [{ engine: { name: "mine" } }, "engine is an object; give an engine"],
    [{ template: { user: 1 } }, "template is an object; give a template, as templateFrom gives it"],
    [{ template: { name: "t", userTag: "<|u|>" } }, "template is an object"],
    [{ template: { name: "t", userTag: "<|u|>", assistantTag: "" } }, "template is an object"],
  ])("generate with %j", async (options, line) => {
    expect(await lineOf(() => generate(wrong({ model, prompts, ...(options as object) })))).toContain(line);
  });

  it("a watch that is none, and what is no object", async () => {
    expect(await lineOf(() => generate({ model, prompts }, wrong({ onEvnet: () => {} })))).toContain(
      'did you mean "onEvent"?',
    );
    expect(await lineOf(() => generate({ model, prompts }, wrong({ signal: {} })))).toContain("signal is an object");
    for (const value of [undefined, null, 5, "x", []])
      expect(await lineOf(() => generate(wrong(value)))).toContain("give an object");
  });

  it("an engine is opened for several calls, which do not say again how it computes", async () => {
    expect(await lineOf(() => openEngine(wrong({ precison: "q8" })))).toContain('did you mean "precision"?');
    expect(await lineOf(() => openEngine({ threads: 0 }))).toContain("threads is 0");
    const engine = openEngine({ precision: "q8", threads: 1 });
    const { run } = await generate({ model, prompts, engine, maxNewTokens: 2 });
    expect(run.options).toMatchObject({ precision: "q8", threads: 1 });
    expect(await lineOf(() => generate({ model, prompts, engine, threads: 2 }))).toContain("threads as well");
  });

  it("every call: no options, an unknown one, nulls for all, and files that are not there", async () => {
    const nowhere = files.path("nowhere/at.jsonl");
    const calls: Readonly<Record<string, [(options: never) => unknown, object]>> = {
      tune: [tune, { model, data: nowhere, objective: "response", out: files.path("o1") }],
      generate: [generate, { model, prompts: nowhere }],
      score: [score, { model, input: nowhere }],
      rank: [rank, { model, data: nowhere }],
      judge: [judge, { outputs: nowhere, baseline: nowhere, judge: "longer", out: files.path("o2") }],
      winrate: [winrate, { annotations: [nowhere] }],
      agreement: [agreement, { annotations: [nowhere] }],
      similarity: [similarity, { outputs: nowhere, task: nowhere, encoder: nowhere, out: files.path("o3") }],
      rephrase: [rephrase, { data: nowhere, out: files.path("o4.jsonl"), method: { kind: "overlap" } }],
      importModel: [importModel, { file: nowhere, out: files.path("o5") }],
      explainRules: [explainRules, { model, rules: nowhere }],
      compare: [compare, { arm: "a", against: "b", pairs: [{ annotations: nowhere }] }],
      choose: [choose, { measure: "loss", measured: [] }],
      planStudy: [planStudy, { study: nowhere }],
      runStudy: [runStudy, { study: nowhere }],
      studyStatus: [studyStatus, { study: nowhere }],
      report: [report, { study: nowhere, out: files.path("o6") }],
    };
    for (const [name, [call, options]] of Object.entries(calls)) {
      expect(await lineOf(() => call(wrong({}))), name).toContain(" is missing; give ");
      expect(await lineOf(() => call(wrong({ ...options, unheardOf: 1 }))), name).toContain(
        'has no option "unheardOf"',
      );
      for (const key of Object.keys(options))
        expect(await lineOf(() => call(wrong({ ...options, [key]: null }))), name).toContain(`${key} is null`);
      expect(await lineOf(() => call(wrong(options))), name).not.toBe("accepted");
    }
    const texts = { inspectModel, verifyModel, checkData, collectExamples, loadTextModel, parseDataSpec };
    for (const [name, call] of Object.entries(texts)) {
      for (const value of [null, undefined, 5, {}, "", files.path("nowhere.jsonl")]) {
        if (name === "parseDataSpec" && typeof value === "string" && value !== "") continue; // reads nothing
        expect(await lineOf(() => call(wrong(value))), `${name} ${String(value)}`).not.toBe("accepted");
      }
    }
    expect(await lineOf(() => loadExamples(wrong(null)).next())).toContain("data is null");
  });

  it("objects that are not of the shape", async () => {
    const methods = [{}, { kind: "lm" }, { kind: "llm", model: "m" }, { kind: "overlap", treshold: 0.5 }];
    for (const method of methods) {
      const line = await lineOf(() => rephrase(wrong({ data: "x.jsonl", out: "y.jsonl", method })));
      expect(line).toContain('method is an object; give { kind: "overlap", threshold? } or { kind: "llm"');
    }
    const judging = { outputs: "x.json", baseline: "y.json", judge: "longer", out: "z" };
    expect(await lineOf(() => judge(wrong({ ...judging, checkers: { mine: 5 } })))).toContain("checkers is an object");
    expect(await lineOf(() => judge(wrong({ ...judging, clock: { now: 5 } })))).toContain("clock is an object");
    expect(await lineOf(() => winrate(wrong({ annotations: [{ nmae: "a", annotations: [] }] })))).toContain(
      "annotations is a list",
    );
  });

  it("compare reads the scale that it is told, and every kind of length control", async () => {
    const rows = [1, 0, 1, 1].map((preference, i) => ({
      ...{ instruction: `Question ${i}?`, output_1: "a", output_2: "bc", preference },
    }));
    const pairs = [{ annotations: files.write("zero-one.json", JSON.stringify(rows)) }];
    expect(await lineOf(() => compare({ arm: "a", against: "b", pairs }))).toContain('scale: "0..1"');
    for (const lc of ["length", "none"] as const)
      expect((await compare({ arm: "a", against: "b", pairs, lc, scale: "0..1" })).win_rate.mean).toBe(75);
    expect(await lineOf(() => compare(wrong({ arm: "a", against: "b", pairs, scale: "0..2" })))).toContain(
      'scale is "0..2"; give 1..2 or 0..1',
    );
  });

  it("rows and annotations that are none", async () => {
    for (const row of [null, 5, {}, { instruction: "a" }, { instruction: 1, response: "b" }])
      expect(await lineOf(() => score(wrong({ model, input: [row] })))).not.toBe("accepted");
    for (const annotations of [
      [5],
      [null],
      [{}],
      [{ annotations: 5 }],
      [{ annotations: [{}] }],
      [{ annotations: [null] }],
      [],
    ])
      for (const call of [winrate, agreement])
        expect(await lineOf(() => call(wrong({ annotations })))).not.toBe("accepted");
    const one = { instruction: "a", output_1: "b", output_2: "c", preference: Number.NaN };
    expect(await lineOf(() => winrate({ annotations: [{ annotations: [one] }] }))).toContain("annotations 1, row 1");
    const measured = [
      { epochs: 1, seed: 1, values: [1] },
      { epochs: 2, seed: 2, values: [1] },
    ];
    expect(await lineOf(() => choose({ measure: "loss", measured }))).toContain("was not measured");
  });
});
