/** How a study is carried out, with steps that compute nothing: what runs, what a failure takes with it, what a stop leaves. */
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { readEvent } from "../../records/event-line.js";
import { EVENTS_FILE, type StepEvent, type Watch } from "../../records/events.js";
import { type StudyResults, stepRecordSchema } from "../../records/study.js";
import { Interrupted, InvariantError, UserError } from "../../util/errors.js";
import { acquireLock } from "../../util/lock.js";
import { packageRoot } from "../../util/system.js";
import { type Prepared, prepareStudy } from "../plan/prepare.js";
import { findUnused } from "../results/clean.js";
import { lockPath } from "../results/folder.js";
import { type Step, type StepWork, studySteps } from "../steps.js";
import { carryOut } from "./carry-out.js";
import { runStudy, type StudyWatch } from "./run.js";
import type { Runner } from "./runner.js";

const folder = temporaryFolder();
const asset = (...names: string[]): string => JSON.stringify(join(packageRoot(), "assets", ...names));

/** Fifteen steps: two tuned arms with a choice of epochs each, an untuned one, and two comparisons. */
const study = (change: { readonly response?: string } = {}): string => `version: 1
name: small
about: x
models: { base: { path: ${asset("stories260k")} } }
data: { rows: ${asset("tiny", "answers.jsonl")}, prompts: ${asset("tiny", "prompts.jsonl")} }
arms:
  instruction: { kind: instruction, data: rows }
  response: { kind: response, data: rows${change.response ?? ""} }
  untuned: { kind: untuned }
epochs: [1, 2]
epochs_from: checkpoints
selection: { measure: loss, data: rows, limit: 2 }
generation: { prompts: prompts, limit: 2, max_new_tokens: 4 }
judge: longer
comparisons: [{ arm: [response, untuned], against: instruction }]
`;

const prepared = (name: string, text = study()): Promise<Prepared> =>
  prepareStudy({ study: folder.write(`${name}.yaml`, text), out: folder.path(name), threads: 1 });

const QUESTIONS = ["What is rain?", "Name a town."];

/** What the steps would leave, without a model. What is light is carried out. */
const results: Partial<Record<StepWork["kind"], { readonly name: string; readonly text: string }>> = {
  tune: { name: `${studySteps.tune.result}/run.json`, text: "{}" },
  generate: {
    name: studySteps.generate.result,
    text: JSON.stringify(
      QUESTIONS.map((instruction) => ({ instruction, output: "Yes.", generator: "m", tokens: 2, stop: "eos" })),
    ),
  },
  score: {
    name: studySteps.score.result,
    text: QUESTIONS.map((id) => `${JSON.stringify({ id, logprobs: [-1], sum: -1, mean: -1, tokens: 1 })}\n`).join(""),
  },
  judge: {
    name: studySteps.judge.result,
    text: JSON.stringify(
      QUESTIONS.map((instruction, i) => ({
        ...{ instruction, output_1: "No.", generator_1: "a", output_2: "Yes.", generator_2: "b" },
        ...{ annotator: "longer", preference: 1 + i },
      })),
    ),
  },
};

type Deed = (work: StepWork, watch: Watch) => Promise<void>;

/** @param deed  what happens before a step leaves its results; it may throw */
const fakeRunner = (root: string, deed: Deed = async () => {}): Runner => ({
  async run(work, place, watch) {
    await deed(work, watch);
    const made = results[work.kind];
    if (made === undefined) return carryOut(work, place, { root, computing: { threads: 1 } });
    const path = join(root, place, made.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, made.text);
    return { work: 1, unit: "texts" };
  },
  halt: async () => true,
  close: async () => {},
});

interface Ran {
  readonly results: StudyResults;
  readonly begun: readonly string[];
}

async function run(name: string, options: { deed?: Deed; text?: string; watch?: StudyWatch } = {}): Promise<Ran> {
  const ready = await prepared(name, options.text);
  const begun: string[] = [];
  const watch: StudyWatch = { ...options.watch, onStep: ({ id }: Step) => void begun.push(id) };
  return { results: await runStudy(ready, fakeRunner(ready.folder.root, options.deed), watch), begun };
}

const statesOf = ({ steps }: StudyResults): Record<string, string> =>
  Object.fromEntries(steps.map(({ id, state }) => [id, state]));
const resultsFile = (name: string): string => readFileSync(join(folder.path(name), "results.json"), "utf8");

const TUNE_RESPONSE = "tune/base/response/seed-1";
const isResponseTuning = (work: StepWork): boolean => work.kind === "tune" && work.objective === "response";

describe("a run", () => {
  it("carries out every step once, and the second time nothing", async () => {
    const first = await run("whole");
    expect(first.results.state).toBe("finished");
    expect(first.begun).toHaveLength(15);
    expect([...first.begun].sort()).toEqual(first.results.steps.map(({ id }) => id).sort());
    expect(first.results.comparisons.map(({ arm, win_rate }) => [arm, win_rate.mean])).toEqual([
      ["response", 50],
      ["untuned", 50],
    ]);
    const bytes = resultsFile("whole");
    expect((await run("whole")).begun).toEqual([]);
    expect(resultsFile("whole")).toBe(bytes);
  });

  it("tells of every step once: what plans and endings add up to is never more than there is", async () => {
    const events: StepEvent[] = [];
    const { results: found } = await run("counted", { watch: { onEvent: (event) => void events.push(event) } });
    let total = 0;
    const seen: number[] = [];
    for (const event of events.filter(({ step }) => step === "study")) {
      if (event.event === "begin") total = event.total;
      if (event.event === "progress") seen.push(event.done);
      expect(seen.length).toBeLessThanOrEqual(total);
    }
    expect(total).toBe(15);
    expect(seen).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    const ended = events.flatMap(({ event, step }) => (event === "end" ? [step] : []));
    expect(ended.toSorted()).toEqual([...found.steps.map(({ id }) => id), "study"].toSorted());
    expect(ended.at(-1)).toBe("study");
    // and the same lines are kept, a step's progress at most once a second
    const kept = readFileSync(join(folder.path("counted"), EVENTS_FILE), "utf8")
      .trimEnd()
      .split("\n");
    const lasting = events.filter(({ event }) => event !== "progress");
    expect(kept.map((line) => readEvent(JSON.parse(line))).filter(({ event }) => event !== "progress")).toEqual(
      lasting,
    );
  });

  it("does one changed arm again, alone, and finds the old results when it is changed back", async () => {
    const first = await run("changed");
    const changed = await run("changed", { text: study({ response: ", tune: { lr: 3e-5 }" }) });
    expect(changed.begun.filter((id) => !id.includes("response"))).toEqual([]);
    expect([...changed.begun].sort()).toEqual(
      first.begun.filter((id) => id.includes("response")).sort(), // tuning, losses, choice, answers, verdicts, comparison
    );
    expect(changed.begun).toContain("compare/base/response-against-instruction");
    expect((await findUnused(await prepared("changed"))).folders).toHaveLength(changed.begun.length);
    expect((await run("changed")).begun).toEqual([]);
  });

  it("fails only what depends on a failure, says why, and tries that alone again", async () => {
    const failing: Deed = async (work) => {
      if (isResponseTuning(work)) throw new UserError("out of memory", { remedy: "use a smaller batch" });
    };
    const { results: after } = await run("failed", { deed: failing });
    expect(after.state).toBe("failed");
    const states = statesOf(after);
    expect(states[TUNE_RESPONSE]).toBe("failed");
    expect(Object.keys(states).filter((id) => states[id] === "blocked")).toEqual([
      ...["score/validation/base/response/seed-1/epochs-1", "score/validation/base/response/seed-1/epochs-2"],
      ...["choose/base/response", "generate/test/base/response/seed-1"],
      ...["judge/test/base/response-against-instruction/seed-1", "compare/base/response-against-instruction"],
    ]);
    expect(Object.values(states).filter((state) => state === "done")).toHaveLength(8);
    expect(after.comparisons.map(({ arm }) => arm)).toEqual(["untuned"]);
    const failed = after.steps.find(({ id }) => id === TUNE_RESPONSE)!;
    expect(failed.reason).toBe("out of memory");
    const path = join(folder.path("failed"), failed.folder!, "step.json");
    expect(stepRecordSchema.parse(JSON.parse(readFileSync(path, "utf8"))).outcome).toEqual({
      kind: "failed",
      reason: "out of memory",
      remedy: "use a smaller batch",
      defect: false,
    });
    const said: StepEvent[] = [];
    const again = await run("failed", { watch: { onEvent: (event) => void said.push(event) } });
    expect(said[0]).toMatchObject({ step: "study", event: "begin", total: 15, reused: 8 });
    expect(said[1]).toMatchObject({ event: "note", text: expect.stringMatching(/^1 step failed before/) });
    expect(again.begun).toHaveLength(7);
    expect(again.results.state).toBe("finished");
  });

  it("fails only the steps that need weights which are gone, and no other", async () => {
    const ready = await prepared("weights");
    const fake = fakeRunner(ready.folder.root);
    const runner: Runner = {
      ...fake,
      async run(work, place, watch) {
        const done = await fake.run(work, place, watch);
        for (const epoch of work.kind === "tune" ? ["epoch-1", "."] : []) {
          const path = join(ready.folder.root, place, studySteps.tune.result, epoch, "model.safetensors");
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, epoch);
        }
        return done;
      },
    };
    const { steps } = await runStudy(ready, runner);
    const tuned = steps.find(({ id }) => id === TUNE_RESPONSE)!;
    const gone = join(folder.path("weights"), tuned.folder!, studySteps.tune.result, "epoch-1", "model.safetensors");
    rmSync(gone);
    for (const { kind, folder: step } of steps)
      if (kind === "score") rmSync(join(folder.path("weights"), step!), { recursive: true });
    const after = statesOf(await runStudy(ready, runner));
    const scores = Object.entries(after).filter(([id]) => id.startsWith("score/"));
    expect(scores.filter(([, state]) => state === "failed").map(([id]) => id)).toEqual([
      "score/validation/base/response/seed-1/epochs-1",
    ]);
    expect(scores.filter(([, state]) => state === "done")).toHaveLength(3);
    expect(after["compare/base/response-against-instruction"]).toBe("done");
  });

  it("tries every failure of earlier runs again, also of steps that only a choice makes known", async () => {
    const text = study().replace("arms:", "seeds: [1, 2]\narms:").replace("selection: {", "selection: { seeds: [1],");
    const isLate = (work: StepWork): boolean => work.kind === "tune" && work.seed === 2;
    const full = new UserError("no space left on the disk", { passing: true });
    const deed: Deed = async (work) => {
      if (isLate(work)) throw full;
    };
    const { results: before } = await run("late", { text, deed });
    const late = before.steps.filter(({ state }) => state === "failed").map(({ id }) => id);
    expect(late.filter((id) => id.startsWith("tune/"))).toHaveLength(2);
    rmSync(join(folder.path("late"), before.steps.find(({ kind }) => kind === "choose")!.folder!), { recursive: true });
    const told: number[] = [];
    const onEvent = (event: StepEvent): void => {
      if (event.event === "note") told.push(Number.parseInt(event.text, 10));
    };
    const again = await run("late", { text, watch: { onEvent } });
    expect(again.results.state).toBe("finished");
    expect(again.begun).toEqual(expect.arrayContaining(late));
    expect(told.reduce((sum, one) => sum + one, 0)).toBe(late.length);
  });

  it("tries a step again in the same run whose failure lay in what was free at that moment", async () => {
    let tries = 0;
    const deed: Deed = async (work) => {
      if (isResponseTuning(work) && tries++ === 0) throw new UserError("out of memory", { passing: true });
    };
    expect((await run("passing", { deed })).results.state).toBe("finished");
    expect(tries).toBe(2);
    let hopeless = 0;
    const never: Deed = async (work) => {
      if (!isResponseTuning(work)) return;
      hopeless++;
      throw new UserError("out of memory", { passing: true });
    };
    expect((await run("hopeless", { deed: never })).results.state).toBe("failed");
    expect(hopeless).toBe(2); // nothing was done since the second time
  });

  it.each([
    ["generate", studySteps.generate.result],
    ["score", studySteps.score.result],
    ["judge", studySteps.judge.result],
    ["tune", `${studySteps.tune.result}/run.json`],
    ["compare", studySteps.compare.result],
  ] as const)("says which result of %s has changed since, and how it is made again", async (kind, name) => {
    const out = `changed-${kind}`;
    const { results: before } = await run(out);
    const step = before.steps.find((one) => one.kind === kind)!;
    const path = join(folder.path(out), step.folder!, name);
    const bytes = readFileSync(path);
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1]! ^= 1;
    for (const wrong of [flipped, bytes.subarray(0, -1)]) {
      writeFileSync(path, wrong);
      await expect(run(out)).rejects.toThrow(`${path} has changed since its step was done`);
    }
    await expect(run(out)).rejects.toMatchObject({ remedy: expect.stringMatching(/put it back .* or remove .*step/) });
    writeFileSync(path, bytes);
    expect((await run(out)).begun).toEqual([]);
    rmSync(join(folder.path(out), step.folder!), { recursive: true });
    const again = await run(out);
    expect(again.begun).toEqual([step.id]);
    expect(again.results.state).toBe("finished");
    rmSync(path);
    await expect(run(out)).rejects.toThrow(`${path} is missing`);
  });

  it("reads records of steps that older versions wrote, without hashes", async () => {
    const { results: before } = await run("older");
    for (const { folder: step } of before.steps) {
      const path = join(folder.path("older"), step!, "step.json");
      const { results: _, ...rest } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
      writeFileSync(path, JSON.stringify({ ...rest, version: 1 }));
    }
    expect((await run("older")).begun).toEqual([]);
  });

  it.each([
    ["results", "resulus", /step\.json: .*resulus|step\.json: results/],
    ["outcome", "outcomf", /step\.json: /],
    ['"version": 2', '"version": 1', undefined], // hashes are looked at in older records that have them, too
  ])("does not take a record in which %s became %s for an older one", async (word, damaged, complaint) => {
    const out = `word-${damaged.replaceAll(/\W/g, "")}`;
    const { results: before } = await run(out);
    const { folder: step } = before.steps.find(({ kind }) => kind === "generate")!;
    const path = join(folder.path(out), step!, "step.json");
    writeFileSync(path, readFileSync(path, "utf8").replace(word, damaged));
    writeFileSync(join(folder.path(out), step!, studySteps.generate.result), "[]");
    await expect(run(out)).rejects.toThrow(complaint ?? /has changed since its step was done/);
  });

  it("goes on in a folder that a run left which was killed before it had begun", async () => {
    mkdirSync(join(folder.path("early"), "steps"), { recursive: true });
    writeFileSync(join(folder.path("early"), ".0123456789ab.partial"), "{");
    writeFileSync(join(folder.path("early"), ".lock"), '{"pid":');
    expect((await run("early")).results.state).toBe("finished");
    expect(existsSync(join(folder.path("early"), ".0123456789ab.partial"))).toBe(false);
    mkdirSync(join(folder.path("theirs"), "steps", "photos"), { recursive: true });
    await expect(run("theirs")).rejects.toThrow(/holds no study/);
  });

  it("records a defect of ours as one", async () => {
    const deed: Deed = async (work) => {
      if (work.kind === "judge") throw new InvariantError("internal: a verdict without a pair");
    };
    const { results: after } = await run("defect", { deed });
    const failed = after.steps.filter(({ state }) => state === "failed");
    expect(failed.map(({ kind }) => kind)).toEqual(["judge", "judge"]);
    const step = JSON.parse(readFileSync(join(folder.path("defect"), failed[0]!.folder!, "step.json"), "utf8"));
    expect(step.outcome).toMatchObject({ kind: "failed", defect: true });
  });

  it("stops when told to, keeps what is finished, and resumes from there to the same results", async () => {
    await run("straight");
    const controller = new AbortController();
    const deed: Deed = async (work, { signal }) => {
      if (!isResponseTuning(work)) return;
      controller.abort(new Interrupted("what was finished is kept"));
      signal!.throwIfAborted();
    };
    const stopped = run("stopped", { deed, watch: { signal: controller.signal } });
    await expect(stopped).rejects.toThrow(Interrupted);
    const half = JSON.parse(resultsFile("stopped")) as StudyResults;
    const done = half.steps.filter(({ state }) => state === "done").map(({ id }) => id);
    expect(half.state).toBe("unfinished");
    expect(done).toContain("generate/test/base/untuned");
    expect(statesOf(half)[TUNE_RESPONSE]).toBe("to-do"); // an interruption is no failure
    const told = readFileSync(join(folder.path("stopped"), EVENTS_FILE), "utf8")
      .trimEnd()
      .split("\n");
    const ends = told.map((line) => readEvent(JSON.parse(line))).filter(({ event }) => event === "end");
    const interrupted = expect.objectContaining({ outcome: { kind: "interrupted" } });
    expect(ends.filter(({ step }) => step === TUNE_RESPONSE)).toEqual([interrupted]);
    expect(ends.at(-1)).toEqual(expect.objectContaining({ step: "study", outcome: { kind: "interrupted" } }));
    const { begun } = await run("stopped");
    expect(begun.filter((id) => done.includes(id))).toEqual([]);
    expect(begun).toHaveLength(15 - done.length);
    expect(resultsFile("stopped")).toBe(resultsFile("straight"));
  });

  it("begins nothing when it is told to stop before", async () => {
    const begun: string[] = [];
    const watch: StudyWatch = { signal: AbortSignal.abort(new Interrupted("")) };
    const deed: Deed = async ({ kind }) => void begun.push(kind);
    await expect(run("never", { deed, watch })).rejects.toThrow(Interrupted);
    expect(begun).toEqual([]);
  });

  it("stops the steps beside one whose record cannot be written", async () => {
    const ready = await prepared("full");
    const broken = {
      ...ready,
      folder: { ...ready.folder, writeStep: () => Promise.reject(new Error("no space left on the disk")) },
    };
    let begun = 0;
    const deed: Deed = async (_work, { signal }) => {
      if (begun++ === 0) return;
      if (!signal!.aborted) await once(signal!, "abort"); // would wait forever
      signal!.throwIfAborted();
    };
    await expect(runStudy(broken, fakeRunner(ready.folder.root, deed))).rejects.toThrow("no space left");
    expect(begun).toBeLessThanOrEqual(2);
  });

  it("leaves a folder alone in which another one is at work", async () => {
    await run("locked");
    const root = folder.path("locked");
    const lock = await acquireLock(lockPath(root), root);
    await expect(run("locked")).rejects.toThrow(UserError);
    await lock.release();
    expect((await run("locked")).begun).toEqual([]);
    expect(existsSync(lockPath(root))).toBe(false);
  });
});
