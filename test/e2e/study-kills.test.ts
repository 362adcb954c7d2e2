/**
 * A study killed at every single writing file operation, before it and in the middle of it: the same run again comes to the same bytes and
 * leaves nothing behind. The kill is made in this process: from some operation on none ever returns, which is what the disk sees of SIGKILL.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { spawnSync } from "node:child_process";
import fs, { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import fsp from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { prepareStudy } from "../../src/study/plan/prepare.js";
import { carryOut } from "../../src/study/run/carry-out.js";
import { runStudy } from "../../src/study/run/run.js";
import type { Runner } from "../../src/study/run/runner.js";
import { type StepWork, studySteps } from "../../src/study/steps.js";
import { writeFileAtomic } from "../../src/util/files.js";
import { packageRoot } from "../../src/util/system.js";
import { temporaryFolder } from "../temporary-folder.js";

vi.setConfig({ testTimeout: 900_000 });

const folder = temporaryFolder();
const asset = (...names: string[]): string => JSON.stringify(join(packageRoot(), "assets", ...names));
const STUDY = `version: 1
name: killed
about: x
models: { base: { path: ${asset("stories260k")} } }
data: { rows: ${asset("tiny", "answers.jsonl")}, prompts: ${asset("tiny", "prompts.jsonl")} }
arms: { instruction: { kind: instruction, data: rows }, untuned: { kind: untuned } }
epochs: [1, 2]
epochs_from: checkpoints
selection: { measure: loss, data: rows, limit: 2 }
generation: { prompts: prompts, limit: 2, max_new_tokens: 4 }
judge: longer
comparisons: [{ arm: untuned, against: instruction }]
`;

const QUESTIONS = ["What is rain?", "Name a town."];
const text = {
  tune: "{}",
  generate: JSON.stringify(
    QUESTIONS.map((instruction) => ({ instruction, output: "Yes.", generator: "m", tokens: 2, stop: "eos" })),
  ),
  score: QUESTIONS.map((id) => `${JSON.stringify({ id, logprobs: [-1], sum: -1, mean: -1, tokens: 1 })}\n`).join(""),
};
const names = {
  tune: `${studySteps.tune.result}/run.json`,
  generate: studySteps.generate.result,
  score: studySteps.score.result,
};

/** Without a model; verdicts, choice and comparison are real. */
const runner = (root: string): Runner => ({
  async run(work: StepWork, place) {
    if (work.kind !== "tune" && work.kind !== "generate" && work.kind !== "score")
      return carryOut(work, place, { root, computing: { threads: 1 } });
    await writeFileAtomic(join(root, place, names[work.kind]), text[work.kind]);
    return { work: 1, unit: "texts" };
  },
  halt: async () => true,
  close: async () => {},
});

async function run(out: string): Promise<void> {
  const prepared = await prepareStudy({ study: join(folder.path("."), "killed.yaml"), out, threads: 1 });
  const results = await runStudy(prepared, runner(out));
  expect(results.steps.filter(({ state }) => state !== "done")).toEqual([]);
}

/** Writing operations of a path or of an open file. */
const OF_PATHS = ["rename", "rm", "mkdir", "unlink", "writeFile", "truncate", "link", "copyFile"] as const;
const OF_HANDLES = ["writeFile", "appendFile", "write", "sync", "datasync", "truncate", "close"] as const;
type Operation = (...given: unknown[]) => Promise<unknown>;

/** One run that is killed, whatever it has under way then. */
interface Attempt {
  readonly at: number;
  readonly half: boolean;
  count: number;
  readonly reached: () => void;
}
const attempts = new AsyncLocalStorage<Attempt>();
const opened = new Set<fsp.FileHandle>();

/** From operation `at` of an attempt on, none of its operations ever returns. */
function wrap(
  owner: Record<string, Operation>,
  name: string,
  begin: (self: unknown, given: unknown[]) => void = () => {},
): void {
  const real = owner[name]!;
  owner[name] = async function (this: unknown, ...given: unknown[]) {
    const attempt = attempts.getStore();
    const reads = name === "open" && given[1] === "r";
    if (attempt !== undefined && !reads) {
      attempt.count++;
      if (attempt.count === attempt.at && attempt.half) begin(this, given);
      if (attempt.count >= attempt.at) attempt.reached();
      if (attempt.count >= attempt.at) return new Promise(() => {});
    }
    const made = await real.apply(this, given);
    if (name === "open") opened.add(made as fsp.FileHandle);
    return made;
  };
}

const half = (data: unknown): Buffer => {
  const bytes = Buffer.from(data as string);
  return bytes.subarray(0, bytes.length >> 1);
};

beforeAll(async () => {
  const promises = fsp as unknown as Record<string, Operation>;
  const one = await fsp.open(folder.write("killed.yaml", STUDY), "r");
  const handles = Object.getPrototypeOf(one) as Record<string, Operation>;
  await one.close();
  for (const name of OF_PATHS)
    wrap(promises, name, (_, [path, data]) => {
      if (name === "writeFile") writeFileSync(path as string, half(data));
    });
  wrap(promises, "open");
  for (const name of OF_HANDLES)
    wrap(handles, name, (self, [data]) => {
      if (/write|append/i.test(name)) fs.writeSync((self as { fd: number }).fd, half(data));
    });
  syncBuiltinESMExports();
});

/** @returns how many operations there were until it was killed, or in all */
async function killedRun(out: string, at: number, inHalf: boolean): Promise<number> {
  let reached = (): void => {};
  const killed = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const attempt: Attempt = { at, half: inHalf, count: 0, reached };
  await Promise.race([attempts.run(attempt, () => run(out)), killed]);
  await setTimeout(2); // what was under way beside it
  for (const handle of opened) await handle.close().catch(() => {});
  opened.clear();
  return attempt.count;
}

/** The process that held the locks is gone. */
function bury(root: string): void {
  const { pid } = spawnSync(process.execPath, ["-e", "0"]);
  const parent = join(root, "..");
  const hidden = existsSync(parent) ? readdirSync(parent, { recursive: true, encoding: "utf8" }) : [];
  for (const name of hidden.filter((one) => /lock/.test(one))) {
    const path = join(parent, name);
    if (statSync(path).isFile())
      writeFileSync(path, readFileSync(path, "utf8").replace(`"pid":${process.pid}`, `"pid":${pid}`));
  }
}

const filesOf = (root: string): string[] => readdirSync(root, { recursive: true, encoding: "utf8" }).sort();
const KEPT = /(results|choice|comparison|annotations|outputs)\.json$/;
const kept = (root: string): Record<string, string> =>
  Object.fromEntries(
    filesOf(root)
      .filter((file) => KEPT.test(file))
      .map((file) => [file, readFileSync(join(root, file), "utf8")]),
  );

describe("a study killed at an operation", () => {
  it("comes to the same bytes when it is run again, and leaves nothing behind", async () => {
    const whole = join(folder.path("whole"), "out");
    mkdirSync(folder.path("whole"));
    const operations = await killedRun(whole, Number.POSITIVE_INFINITY, false);
    expect(operations).toBeGreaterThan(100);
    const every = Number(process.env.TACIT_KILL_EVERY ?? 7);
    const points = Array.from({ length: operations }, (_, i) => i + 1).filter((at) => at <= 100 || at % every === 0);
    for (const inHalf of [false, true]) {
      for (const at of points) {
        const place = folder.path(`killed-${at}-${inHalf}`);
        mkdirSync(place);
        const out = join(place, "out");
        await killedRun(out, at, inHalf);
        bury(out);
        const before = existsSync(out) ? filesOf(out) : [];
        const what = `killed ${inHalf ? "in" : "before"} operation ${at}, with ${before.join(" ")}`;
        await run(out).catch((error: Error) => {
          throw new Error(`${what}: ${error.message}`);
        });
        expect(filesOf(place), what).toEqual(filesOf(join(whole, "..")));
        expect(kept(out), what).toEqual(kept(whole));
        rmSync(place, { recursive: true });
      }
    }
    cpSync(whole, folder.path("copy"), { recursive: true });
    await run(folder.path("copy")); // a finished study that was moved is finished
  });
});
