/**
 * A study as a process, interrupted and killed at any moment: it comes to the same bytes as one that was let go on, and a second run
 * does nothing.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readEvent } from "../../src/records/event-line.js";
import type { StepEvent } from "../../src/records/events.js";
import type { StudyResults } from "../../src/records/study.js";
import { randomStream } from "../../src/util/random.js";
import { modelFolder, modelsFolder } from "../parity/fixtures.js";
import { type Finished, plainEnvironment, type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 }); // a build, and processes that start one after the other

/** `TACIT_KILLS=3` for a quick look. */
const KILLS = Number(process.env.TACIT_KILLS ?? 20);
const ENCODER = join(modelsFolder, "encoders", "bert");
const folder = temporaryFolder();
let staged: StagedPackage;
let whole: Finished;

const options = ["--model", modelFolder("llama-tied"), "--encoder", ENCODER, "--threads", "1", "--out", "out"];
const study = (name: string, verb: string, more: readonly string[] = []): Finished => {
  mkdirSync(folder.path(name), { recursive: true });
  return staged.tacit(["study", verb, "tiny", ...options, ...more], { cwd: folder.path(name) });
};

/**
 * Runs the study in a process that has loaded everything before it is told to begin, so that what is killed is work and not the
 * loading of modules.
 */
const DRIVER = `
import { once } from "node:events";
import { prepareStudy } from "./dist/study/plan/prepare.js";
import { runStudy } from "./dist/study/run/run.js";
import { inlineRunner } from "./dist/study/run/runner.js";
import "onnxruntime-node";
const [model, encoder] = process.argv.slice(2);
process.stdout.write("ready\\n");
const [cwd] = await once(process.stdin, "data");
process.chdir(String(cwd).trim());
const prepared = await prepareStudy({ study: "tiny", models: [model], encoder, threads: 1, out: "out" });
const results = await runStudy(prepared, inlineRunner({ root: "out", computing: { threads: 1 } }));
process.stdout.write(results.state + "\\n");
process.exit(0);
`;

interface Driver {
  begin(name: string): void;
  kill(): Promise<void>;
  readonly ended: Promise<string>;
}

async function driver(): Promise<Driver> {
  const child = spawn(process.execPath, [join(staged.root, "driver.mjs"), modelFolder("llama-tied"), ENCODER], {
    env: plainEnvironment,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const closed = once(child, "close");
  const said = async (word: string): Promise<void> => {
    while (!text.includes(word) && child.exitCode === null && child.signalCode === null) await setTimeout(2);
  };
  await said("ready");
  return {
    begin: (name) => void child.stdin.write(`${folder.path(name)}\n`),
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
    ended: closed.then(() => text.trim().split("\n").at(-1) ?? ""),
  };
}

beforeAll(() => {
  staged = stagePackage();
  writeFileSync(join(staged.root, "driver.mjs"), DRIVER);
  whole = study("whole", "run", ["--json", "--events"]);
});
afterAll(() => staged.remove());

const resultsOf = (name: string): StudyResults =>
  JSON.parse(readFileSync(join(folder.path(name), "out", "results.json"), "utf8")) as StudyResults;

const filesOf = (name: string): string[] =>
  readdirSync(join(folder.path(name), "out"), { recursive: true, encoding: "utf8" })
    .filter((file) => !/(^|\/)\.lock/.test(file)) // a process that was killed holds its lock until the next one takes it
    .filter((file) => !file.endsWith("events.jsonl")) // tells times
    .filter((file) => !file.startsWith("embeddings")) // a cache: its lines are in the order in which arms came to be embedded
    .filter((file) => statSync(join(folder.path(name), "out", file)).isFile())
    .sort();

/** Finished files, while a process is at work there. */
function countFiles(name: string): number {
  try {
    return readdirSync(join(folder.path(name), "out"), { recursive: true, encoding: "utf8" }).filter((file) =>
      /\.(json|jsonl|safetensors)$/.test(file),
    ).length;
  } catch {
    return 0; // not there yet, or a folder went away meanwhile
  }
}

async function filesIn(name: string, count: number): Promise<void> {
  while (countFiles(name) < count) await setTimeout(5);
}

/** Times, memory, and how the work fell to attempts: everything else is the same to the byte, in the same order. */
const EFFORT = new Set([
  ...["timings", "seconds", "tokens_per_second", "peak_memory_bytes", "finished"],
  ...["computed", "reused", "scored", "time", "at", "ms", "started"],
]);

/** A step's record has the hashes of its files, of which some tell times: each file is compared for itself. */
const withoutHashes = (key: string, value: unknown): unknown =>
  key === "results" && Array.isArray(value) ? value.map(({ path }: { path: string }) => path) : value;

const withoutEffort = (text: string): string =>
  text
    .split(/(?<=\})\n(?=\{)/)
    .map((json) =>
      JSON.stringify(JSON.parse(json), (key, value: unknown) =>
        EFFORT.has(key) ? undefined : withoutHashes(key, value),
      ),
    )
    .join("\n");

const eventsOf = (stderr: string): StepEvent[] =>
  stderr
    .trim()
    .split("\n")
    .map((line) => readEvent(JSON.parse(line)));

function expectSame(name: string): void {
  expect(filesOf(name)).toEqual(filesOf("whole"));
  for (const file of filesOf("whole")) {
    const [mine, theirs] = [name, "whole"].map((one) => readFileSync(join(folder.path(one), "out", file)));
    if (mine?.equals(theirs ?? new Uint8Array())) continue;
    expect(/\.jsonl?$/.test(file), `${file} differs`).toBe(true);
    expect(withoutEffort(String(mine)), file).toBe(withoutEffort(String(theirs)));
  }
}

/** The command itself, with its threads, while it is at work. */
function command(name: string) {
  mkdirSync(folder.path(name), { recursive: true });
  const main = join(staged.root, "dist", "cli", "main.js");
  const child = spawn(process.execPath, [main, "study", "run", "tiny", ...options], {
    cwd: folder.path(name),
    env: plainEnvironment,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return { child, closed: once(child, "close"), said: () => text };
}

describe("a study that this machine cannot carry out", () => {
  it("is planned with what is missing, exit 2 under --check, and is not begun by run", () => {
    const small = JSON.parse(readFileSync(join(modelFolder("llama-tied"), "config.json"), "utf8")) as object;
    const large = { hidden_size: 16_384, intermediate_size: 53_248, num_hidden_layers: 400, head_dim: 128 };
    const heads = { num_attention_heads: 128, num_key_value_heads: 8 };
    cpSync(modelFolder("llama-tied"), folder.path("large"), { recursive: true });
    writeFileSync(join(folder.path("large"), "config.json"), JSON.stringify({ ...small, ...large, ...heads }));
    const given = (verb: string, ...more: string[]) =>
      staged.tacit(["study", verb, "tiny", "--model", "large", "--encoder", ENCODER, "--out", "none", ...more], {
        cwd: folder.path(""),
      });
    const plan = given("plan");
    expect([plan.status, plan.stderr]).toEqual([0, ""]);
    expect(plan.stdout).toMatch(/^cannot be done here: the largest step needs .* of memory, and this machine has /m);
    expect(plan.stdout).toMatch(/ (days|years) of computing/);
    const checked = given("plan", "--check");
    expect([checked.status, checked.stdout.includes("cannot be done here")]).toEqual([2, true]);
    const run = given("run");
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/^tacit: the largest step needs .* of memory, .*\n$/);
    expect(existsSync(folder.path("none"))).toBe(false);
  });
});

describe("tacit study on the tiny study", () => {
  it("does everything that it plans", () => {
    expect(whole.status).toBe(0);
    const results = resultsOf("whole");
    expect(results.state).toBe("finished");
    expect(results.left_out).toEqual([]);
    expect(results.comparisons.map(({ arm, pairs }) => [arm, pairs.length])).toEqual([
      ["response", 2],
      ["rules", 2],
      ["untuned", 2],
    ]);
    expect(results.choices.map(({ arm, epochs }) => [arm, epochs.length])).toEqual([
      ["instruction", 2],
      ["response", 2],
    ]);
    expect(results.rankings).toHaveLength(3);
    expect(results.similarities.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual([
      ...["response 1", "response 2", "untuned null"],
    ]);
    const tested = results.cells.filter(({ answers }) => answers.some(({ split }) => split === "test"));
    expect(tested.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual([
      ...["instruction 1", "instruction 2", "response 1", "response 2", "rules null", "untuned null"],
    ]);
  });
  it("says on standard error what happens, one JSON object a line, and prints one summary", () => {
    const events = eventsOf(whole.stderr).filter(({ step }) => step !== "study");
    const { steps } = resultsOf("whole");
    expect(
      events
        .filter(({ event }) => event === "end")
        .map(({ step }) => step)
        .sort(),
    ).toEqual(steps.map(({ id }) => id).sort());
    expect(JSON.parse(whole.stdout)).toMatchObject({ name: "tiny", state: "finished", failures: [] });
  });
  it("does nothing the second time", () => {
    const before = filesOf("whole").map((file) => [file, statSync(join(folder.path("whole"), "out", "steps")).mtimeMs]);
    const again = study("whole", "run", ["--json", "--events"]);
    expect(again.status).toBe(0);
    const n = resultsOf("whole").steps.length;
    expect(eventsOf(again.stderr)).toMatchObject([
      { step: "study", event: "begin", total: n, reused: n },
      { step: "study", event: "end", outcome: { kind: "done" } },
    ]);
    expect(again.stdout).toBe(whole.stdout);
    expect(
      filesOf("whole").map((file) => [file, statSync(join(folder.path("whole"), "out", "steps")).mtimeMs]),
    ).toEqual(before);
  });
  it("plans nothing when nothing is left, and has nothing to clean", () => {
    expect(study("whole", "plan").stdout).toContain("Nothing is left to do.");
    expect(study("whole", "clean").stdout).toBe("nothing to remove\n");
    const forgetful = staged.tacit(["study", "clean", "tiny", "--out", "out", "--force"], {
      cwd: folder.path("whole"),
    });
    expect(forgetful.stdout, forgetful.stderr).toBe("nothing to remove\n");
    expect(study("whole", "status", ["--steps"]).stdout).toMatch(
      /done +tune\/base\/response\/seed-1 +steps\/tune-[0-9a-f]{16}\n/,
    );
    expect(study("whole", "status").stdout).toMatch(/response against instruction .* 2 × 4 *\n/); // seeds × prompts
  });
  it("stopped by Ctrl-C it says so, keeps what is finished, and goes on to the same bytes", async () => {
    const { child, closed, said } = command("interrupted");
    await Promise.race([filesIn("interrupted", filesOf("whole").length / 3), closed]);
    child.kill("SIGINT");
    expect((await closed)[0]).toBe(130);
    expect(said()).toContain("tacit: interrupted: what was finished is kept");
    const { state, steps } = resultsOf("interrupted");
    expect(state).toBe("unfinished");
    expect(steps.filter((step) => step.state === "failed")).toEqual([]);
    const done = steps.filter((step) => step.state === "done").map(({ id }) => id);
    expect(done.length).toBeGreaterThan(0);
    const again = study("interrupted", "run", ["--json", "--events"]);
    expect(again.status).toBe(0);
    for (const id of done) expect(again.stderr).not.toContain(`"step":"${id}"`);
    expectSame("interrupted");
  });
  it("the command killed, its threads with it, it goes on to the same bytes", async () => {
    const { child, closed, said } = command("command");
    await Promise.race([filesIn("command", filesOf("whole").length / 2), closed]);
    child.kill("SIGKILL");
    await closed;
    expect(child.signalCode).toBe("SIGKILL");
    const done = [...said().matchAll(/^\d+\/\d+ (\S+): done/gm)].map(([, id]) => id ?? "");
    expect(done.length).toBeGreaterThan(0);
    const left = countFiles("command");
    await setTimeout(300);
    expect(countFiles("command")).toBe(left); // nobody is left behind who still writes
    const again = study("command", "run", ["--json", "--events"]);
    expect(again.status, again.stderr).toBe(0);
    expect(again.stderr).toContain('"event":"begin"');
    for (const id of done) expect(again.stderr).not.toContain(`"step":"${id}"`);
    expectSame("command");
  });
  it(`killed ${KILLS} times it comes to the same bytes`, async () => {
    mkdirSync(folder.path("killed"), { recursive: true });
    const random = randomStream(1, "moments to kill at");
    const progress: number[] = [];
    let next = driver(); // the next one loads while this one works
    for (let i = 0; i < KILLS; i++) {
      const one = await next;
      next = driver();
      one.begin("killed");
      // By what is done, not by the clock, which says nothing of the work on a busy machine; then some moment more.
      const wanted = ((i + random.uniform()) / (KILLS + 1)) * filesOf("whole").length;
      await Promise.race([filesIn("killed", wanted).then(() => setTimeout(random.integer(30))), one.ended]);
      await one.kill();
      progress.push(countFiles("killed"));
    }
    const last = await next;
    last.begin("killed");
    expect(await last.ended).toBe("finished");
    expect(new Set(progress).size).toBeGreaterThan(KILLS / 2); // it got on between the kills
    expectSame("killed");
  });
});
