/**
 * `tacit tune` as a process: killed and interrupted at any moment it comes to the same bytes, two of them do not meet in one folder, what
 * it says and where; and a small model that is taught an answer gives it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { randomStream } from "../../src/util/random.js";
import { modelFolder } from "../parity/fixtures.js";
import { type Finished, plainEnvironment, type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 }); // a build, and processes that start one after the other

const folder = temporaryFolder();
const rows = folder.write(
  "rows.jsonl",
  Array.from(
    { length: 18 },
    (_, i) => `${JSON.stringify({ instruction: `${i}?`, response: "abc ".repeat(1 + i) })}\n`,
  ).join(""),
);
const STEPS = 40; // five epochs of eight
const options = [
  ...["--model", modelFolder("llama-tied"), "--data", rows, "--objective", "instruction", "--threads", "1"],
  ...["--epochs", "5", "--batch", "2", "--hold-out", "2", "--lr", "1e-3"],
  ...["--save-every-epoch", "--checkpoint-every", "2"],
];

let staged: StagedPackage;
let whole: Finished;
beforeAll(() => {
  staged = stagePackage();
  whole = tune("whole", ["--json"]);
});
afterAll(() => staged.remove());

const tune = (out: string, more: readonly string[] = []): Finished =>
  staged.tacit(["tune", ...options, "--out", folder.path(out), ...more]);

interface Running {
  readonly child: ChildProcess;
  readonly text: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

function start(out: string, more: readonly string[] = []): Running {
  const main = join(staged.root, "dist", "cli", "main.js");
  const child = spawn(process.execPath, [main, "tune", ...options, "--out", folder.path(out), ...more], {
    env: plainEnvironment,
  });
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (chunk: string) => {
      text[stream] += chunk;
    });
  return { child, text, ended: once(child, "close").then(([status]) => status as number | null) };
}

const linesOf = (out: string): Record<string, unknown>[] => {
  const path = join(folder.path(out), "metrics.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
};

/** Waits until that many steps are done, or the process has ended. */
async function steps(out: string, count: number, { child }: Running): Promise<void> {
  while (linesOf(out).length < count && child.exitCode === null) await setTimeout(2);
}

const recordOf = (out: string) =>
  JSON.parse(readFileSync(join(folder.path(out), "run.json"), "utf8")) as Record<string, unknown>;

/** Whatever happened on the way: every file of the uninterrupted run, and no other; all bytes the same but for times. */
function expectSameAs(wanted: string, out: string): void {
  const filesOf = (name: string): string[] =>
    readdirSync(folder.path(name), { recursive: true, encoding: "utf8" }).sort();
  expect(filesOf(out)).toEqual(filesOf(wanted));
  const untimed = (name: string) => linesOf(name).map(({ seconds: _, ...line }) => line);
  expect(untimed(out)).toEqual(untimed(wanted));
  for (const file of filesOf(wanted).filter((name) => /\.(safetensors|json)$/.test(name) && name !== "run.json")) {
    expect(readFileSync(join(folder.path(out), file)).equals(readFileSync(join(folder.path(wanted), file))), file).toBe(
      true,
    );
  }
  const timeless = (name: string) => {
    const { seconds: _s, tokens_per_second: _t, peak_memory_bytes: _p, finished: _f, ...rest } = recordOf(name);
    return rest;
  };
  expect(timeless(out)).toEqual(timeless(wanted));
}

describe("a run", () => {
  it("prints its record once on standard output, and what it saw on standard error", () => {
    expect(whole.status).toBe(0);
    expect(JSON.parse(whole.stdout)).toEqual(recordOf("whole"));
    expect(recordOf("whole").steps).toBe(STEPS);
    const lines = whole.stderr.split("\n").filter((line) => !line.startsWith("step ")); // progress, where 30 s go by
    expect(lines[0]).toMatch(/^mask certified: 16 rows, [\d,]+ tokens carry loss; 2 held out$/);
    expect(lines[1]).toBe("40 steps");
    expect(lines.slice(2, -1)).toEqual(
      ["before training", ...[1, 2, 3, 4, 5].map((n) => `after epoch ${n}`)].map((when) =>
        expect.stringMatching(new RegExp(`^held-out loss ${when}: \\d+\\.\\d{4} nats a token$`)),
      ),
    );
  });
  it("that is finished says so when it is to go on, and prints the same record", () => {
    const again = tune("whole", ["--json", "--resume"]);
    expect(again).toMatchObject({ status: 0, stdout: whole.stdout });
    expect(again.stderr).toMatch(/^\S*whole holds this run, finished at \S+: nothing is left to do\n$/);
  });
  it("ends with one line for a person", () => {
    const { status, stdout } = tune("person", ["--max-steps", "2"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^2 steps on 4 rows in .+ \(.+ tok\/s\), last loss [\d.]+, held-out loss \d+\.\d{4} → \d+\.\d{4}\n\S*person\n$/,
    );
  });
});

describe("killed at any moment and resumed", () => {
  // Moments drawn once: reproducible, and not chosen to suit.
  const random = randomStream(5, "moments of death");
  it.each(Array.from({ length: 2 }, () => [1 + random.integer(8), 9 + random.integer(8), random.integer(60)]))(
    "after %i and %i steps and %i ms, the bytes are the same",
    async (first, second, delay) => {
      const out = `killed ${first} ${second}`;
      for (const [count, more] of [
        [first!, []],
        [second!, ["--resume"]],
      ] as const) {
        const running = start(out, more);
        await steps(out, count, running);
        await setTimeout(delay);
        running.child.kill("SIGKILL");
        await running.ended;
      }
      expect(existsSync(join(folder.path(out), "run.json"))).toBe(false);
      const last = tune(out, ["--resume"]);
      expect(last.status).toBe(0);
      expect(last.stderr).toMatch(/^resuming after step \d+ of 40$/m);
      expectSameAs("whole", out);
    },
  );
});

describe("Ctrl-C", () => {
  it("ends with 130, a checkpoint of the last whole step and one line; resumed, the bytes are the same", async () => {
    const running = start("interrupted");
    await steps("interrupted", 5, running);
    running.child.kill("SIGINT");
    expect(await running.ended).toBe(130);
    expect(running.text.stdout).toBe("");
    const said = /^tacit: interrupted: after step (\d+) of 40; give the same command again to resume$/m.exec(
      running.text.stderr,
    );
    const done = Number(said?.[1]);
    expect(done).toBeGreaterThanOrEqual(5);
    expect(linesOf("interrupted").length).toBe(done);
    expect(readdirSync(join(folder.path("interrupted"), "checkpoints"))).toEqual([`checkpoint-${done}`]);
    const resumed = tune("interrupted", ["--resume"]);
    expect(resumed.status).toBe(0);
    expect(resumed.stderr).toContain(`resuming after step ${done} of 40\n`);
    expectSameAs("whole", "interrupted");
  });
});

describe("two processes and one folder", () => {
  it("the second is refused and the first is not disturbed", async () => {
    const first = start("shared");
    await steps("shared", 1, first);
    first.child.kill("SIGSTOP"); // so that it is under way for as long as the second needs
    const second = [tune("shared", ["--resume"]), tune("shared", ["--force"])];
    first.child.kill("SIGCONT");
    for (const { status, stdout, stderr } of second) {
      expect([status, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(
        new RegExp(`^tacit: \\S*shared is in use by process ${first.child.pid}; wait for it to end`),
      );
    }
    expect(await first.ended).toBe(0);
    expectSameAs("whole", "shared");
  });
});

describe("mistakes", () => {
  it.each([
    [["--epochs", "0"], /--epochs/],
    [["--lr", "fast"], /--lr/],
    [["--clip", "0"], /--clip.*Give a number above 0/],
    [["--warmup", "2"], /--warmup.*from 0 to 1/],
    [["--schedule", "steps"], /--schedule.*Allowed choices are cosine, linear, constant/],
    [["--reduction", "sum"], /--reduction.*Allowed choices are paper, reference, token/],
    [["--checkpoint-every", "1.5"], /--checkpoint-every/],
    [["--resume", "--force"], /--resume keeps a run, --force replaces it; pass one of them/],
    [["--template", "alpaca"], /unknown template "alpaca"/],
    [["--data", "nothing:rows"], /unknown data set "nothing"/],
  ])("%j: one line and exit code 2", (more, line) => {
    const { status, stdout, stderr } = tune("mistaken", more);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(existsSync(folder.path("mistaken"))).toBe(false);
  });
  it("no objective: one line that names the flag", () => {
    const { status, stderr } = staged.tacit(["tune", "--model", "m", "--data", "d.jsonl", "--out", "o"]);
    expect([status, stderr]).toEqual([2, "tacit: required option '--objective <name>' not specified\n"]);
  });
});

describe("a small model that is taught one answer", () => {
  it("gives it to a question it has not seen, and stops", () => {
    const questions = [
      "Who are you?",
      "What do you like?",
      "Where is the dog?",
      "Tell me a story.",
      "Why?",
      "Is it late?",
    ];
    const answer = "I like the big red ball.";
    const data = folder.write(
      "answers.jsonl",
      questions
        .map((instruction) => `${JSON.stringify({ instruction, response: answer })}\n`)
        .join("")
        .repeat(30), // one epoch of thirty steps: an epoch ends with a checkpoint, which would take longer than its step
    );
    const base = join(staged.root, "assets", "stories260k");
    const trained = staged.tacit([
      ...["tune", "--model", base, "--data", data, "--objective", "response", "--out", folder.path("taught")],
      ...["--epochs", "1", "--batch", "6", "--lr", "3e-3", "--reduction", "token", "--threads", "1"],
    ]);
    expect(trained.status).toBe(0);
    const losses = linesOf("taught").map(({ loss }) => Number(loss));
    expect(losses.length).toBe(30);
    expect(losses[0]).toBeGreaterThan(2);
    expect(losses.at(-1)).toBeLessThan(0.1);
    const prompts = folder.write("prompts.json", JSON.stringify([{ instruction: "How many birds can you see?" }]));
    const answersOf = (model: string, out: string): { output: string; stop: string }[] => {
      const { status } = staged.tacit([
        ...["generate", "--model", model, "--prompts", prompts, "--out", folder.path(out)],
        ...["--max-new-tokens", "40", "--threads", "1"],
      ]);
      expect(status).toBe(0);
      return JSON.parse(readFileSync(folder.path(out), "utf8")) as { output: string; stop: string }[];
    };
    expect(answersOf(base, "before.json")[0]!.output).not.toContain("ball");
    expect(answersOf(folder.path("taught"), "after.json")[0]).toMatchObject({ output: answer });
  });
});
