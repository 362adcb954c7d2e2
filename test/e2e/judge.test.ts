/**
 * `tacit judge` as a process: killed at twenty moments it asks for no reply twice and loses none; two of them do not meet in one folder; its
 * key is nowhere; what it says and where.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { JudgeLedgerLine } from "../../src/records/judge-ledger.js";
import { randomStream } from "../../src/util/random.js";
import { type JudgeServer, openJudgeServer, type ServerOptions, transient } from "../judge-server.js";
import { plainEnvironment, type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 }); // a build, and processes that start one after the other

const PAIRS = 805;
const CONCURRENCY = 8;
const KEY = "sk-loopback-7f3a9c2e1b";

const folder = temporaryFolder();
const outputsOf = (generator: string, n: number): string =>
  folder.write(
    `${generator}-${n}.json`,
    JSON.stringify(
      Array.from({ length: n }, (_, i) => ({
        instruction: `Question ${i}?`,
        output: `${generator} says ${i}`,
        generator,
      })),
    ),
  );

let staged: StagedPackage;
beforeAll(() => {
  staged = stagePackage();
});
afterAll(() => staged.remove());

let server: JudgeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const serve = async (options: ServerOptions = {}): Promise<JudgeServer> => {
  server = await openJudgeServer(options);
  return server;
};

const judgeFile = (url: string): string =>
  folder.write(
    "judge.yaml",
    `kind: openai\nbase_url: ${url}\nmodel: a-judge\nverdict: logprobs\nlimits: { backoff_seconds: 0.002, retries: 20 }\n`,
  );

interface Running {
  readonly child: ChildProcess;
  readonly text: { stdout: string; stderr: string };
  readonly ended: Promise<number | null>;
}

function start(out: string, url: string, n: number, more: readonly string[] = []): Running {
  const child = spawn(
    process.execPath,
    [
      join(staged.root, "dist", "cli", "main.js"),
      ...["judge", outputsOf("model", n), "--baseline", outputsOf("base", n), "--judge", judgeFile(url)],
      ...["--out", folder.path(out), "--concurrency", String(CONCURRENCY), ...more],
    ],
    { env: { ...plainEnvironment, OPENAI_API_KEY: KEY } },
  );
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (chunk: string) => {
      text[stream] += chunk;
    });
  return { child, text, ended: once(child, "close").then(([status]) => status as number | null) };
}

/** Finished lines only: the last one may be half written. */
const ledgerOf = (out: string): JudgeLedgerLine[] => {
  const path = join(folder.path(out), "ledger.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as JudgeLedgerLine);
};
const repliesOf = (out: string) => ledgerOf(out).flatMap((line) => ("body" in line ? [line] : []));
const idOf = (body: unknown): number => Number((body as { id: string }).id.replace("chatcmpl-", ""));
const bytesOf = (out: string): string[] =>
  ["annotations.json", "run.json"].map((name) => readFileSync(join(folder.path(out), name), "utf8"));

async function until(condition: () => boolean, { child }: Running): Promise<void> {
  while (!condition() && child.exitCode === null) await setTimeout(1);
}

describe("killed at twenty moments and started again", () => {
  it("no reply is asked for twice, none is lost, and the bytes are those of a run that was left alone", async () => {
    const random = randomStream(7, "moments of death"); // drawn once: reproducible, and not chosen to suit
    const misbehave: NonNullable<ServerOptions["misbehave"]> = (id) =>
      id % 9 === 0 ? transient[(id / 9) % transient.length] : undefined;
    const { url, asked, answered } = await serve({ misbehave, delayMs: 1 });
    const more = ["--order", "alpaca_eval"];
    let kills = 0;
    for (; kills < 20; kills++) {
      const replies = repliesOf("killed");
      const kept = new Set(replies.map(({ body }) => asked[idOf(body)]!.content));
      const before = { asked: asked.length, answered: answered.size };
      const running = start("killed", url, PAIRS, more);
      const [further, delay] = [1 + random.integer(60), random.integer(4)];
      await until(() => answered.size >= before.answered + further, running);
      await setTimeout(delay);
      running.child.kill("SIGKILL");
      await running.ended;
      // What was in the ledger is not asked again.
      expect(asked.slice(before.asked).filter(({ content }) => kept.has(content))).toEqual([]);
      // What was answered is in the ledger, but for the requests that were under way at that moment.
      expect(answered.size - before.answered - (repliesOf("killed").length - replies.length)).toBeLessThanOrEqual(
        CONCURRENCY,
      );
    }
    expect([kills, existsSync(join(folder.path("killed"), "annotations.json"))]).toEqual([20, false]);
    const left = PAIRS - repliesOf("killed").length;
    expect(left).toBeGreaterThan(0);
    expect(await start("killed", url, PAIRS, more).ended).toBe(0);
    const keys = repliesOf("killed").map(({ key }) => key);
    expect([keys.length, new Set(keys).size]).toEqual([PAIRS, PAIRS]);
    expect(answered.size - PAIRS).toBeLessThanOrEqual(20 * CONCURRENCY);
    const requests = asked.length;
    expect(await start("whole", url, PAIRS, more).ended).toBe(0);
    // Left alone, every request that the server saw has its line.
    expect(ledgerOf("whole").length).toBe(asked.length - requests);
    // The completions' ids count requests; all else is the same.
    const withoutIds = (out: string): string[] => bytesOf(out).map((text) => text.replaceAll(/chatcmpl-\d+/g, "id"));
    expect(withoutIds("killed")).toEqual(withoutIds("whole"));
    expect(readdirSync(folder.path("killed")).sort()).toEqual(["annotations.json", "ledger.jsonl", "run.json"]);
  });
});

describe("two processes and one ledger", () => {
  it("the second is refused with the first's process id, and the first is not disturbed", async () => {
    const { url, asked } = await serve({ delayMs: 5 });
    const first = start("shared", url, 60);
    await until(() => asked.length > 0, first);
    first.child.kill("SIGSTOP"); // so that it is under way for as long as the second needs
    const second = start("shared", url, 60);
    const status = await second.ended;
    first.child.kill("SIGCONT");
    expect([status, second.text.stdout]).toEqual([2, ""]);
    expect(second.text.stderr).toMatch(
      new RegExp(`^tacit: \\S*shared is in use by process ${first.child.pid}; wait for it to end`),
    );
    expect(await first.ended).toBe(0);
    expect(repliesOf("shared").length).toBe(120);
  });
});

describe("Ctrl-C", () => {
  it("waits for what is under way, ends with 130 and says how to go on; then nothing is asked twice", async () => {
    const { url, asked, answered } = await serve({ delayMs: 20 });
    const running = start("interrupted", url, 60);
    await until(() => answered.size >= 20, running);
    running.child.kill("SIGINT");
    expect(await running.ended).toBe(130);
    expect(running.text.stderr).toMatch(
      /tacit: interrupted: \d+ of 120 calls are answered; give the same command again/,
    );
    expect(repliesOf("interrupted").length).toBe(asked.length);
    expect(await start("interrupted", url, 60).ended).toBe(0);
    expect(asked.length).toBe(120);
  });
});

describe("what it says", () => {
  it("to a person: the win rate and beside it everything that is not in it; to a program: one object", async () => {
    const { url } = await serve({
      misbehave: (_id, content) => (content.includes("Question 7?") ? "refusal" : undefined),
    });
    const person = start("said", url, 30);
    expect(await person.ended).toBe(0);
    expect(person.text.stderr).toMatch(/^30 pairs, 60 calls\n/);
    expect(person.text.stdout).toMatch(
      new RegExp(
        [
          "^model against base, judged by judge \\(openai\\)",
          "win rate \\d+\\.\\d\\d % \\(standard error \\d+\\.\\d\\d\\); \\d+\\.\\d\\d to \\d+\\.\\d\\d whatever the 1 without a verdict",
          "30 pairs: 29 with a verdict \\(\\d+ won, \\d+ lost, \\d+ drawn\\), 1 refused",
          "  1 refused: the judge declined",
          "position: the answer shown first is preferred .+; .+ of 29 pairs flip with the order",
          "60 calls: 0 answered before, 60 now with 60 requests, .+; 6,000 tokens in, 60 out",
        ].join("\n"),
      ),
    );
    const program = start("said", url, 30, ["--json"]);
    expect(await program.ended).toBe(0);
    const summary = JSON.parse(program.text.stdout) as Record<string, unknown>;
    expect(summary).toMatchObject({ command: "judge", n_total: 29, spent: { requests: 0, reused: 60 } });
    const { spent: _, ...run } = summary;
    expect(run).toEqual(JSON.parse(readFileSync(join(folder.path("said"), "run.json"), "utf8")));
  });
  it("--dry-run says what would be asked, asks nothing and writes nothing", async () => {
    const { url, asked } = await serve();
    const running = start("dry", url, 30, ["--dry-run"]);
    expect([await running.ended, asked.length, existsSync(folder.path("dry"))]).toEqual([0, 0, false]);
    expect(running.text.stdout).toMatch(/^60 calls, of which 0 are answered already: 60 to ask$/m);
  });
  it("never the key, wherever the server puts it", async () => {
    const { url, asked } = await serve({ misbehave: (id) => (id % 3 === 0 ? "500" : undefined), echo: KEY });
    const running = start("keyed", url, 5, ["--json"]);
    expect(await running.ended).toBe(0);
    expect(asked[0]!.headers.authorization).toBe(`Bearer ${KEY}`);
    const files = readdirSync(folder.path("keyed")).map((name) =>
      readFileSync(join(folder.path("keyed"), name), "utf8"),
    );
    expect(files.length).toBe(3);
    expect(files.join("")).toContain("[key]");
    for (const text of [...files, running.text.stdout, running.text.stderr]) expect(text).not.toContain(KEY);
  });
});

describe("mistakes", () => {
  it.each([
    [["--order", "random"], /--order.*Allowed choices are both, alpaca_eval/],
    [["--concurrency", "0"], /--concurrency.*from 1 to 256/],
    [["--timeout", "0"], /--timeout.*above 0/],
    [["--max-cost", "2"], /needs the judge's price; give it in the judge file/],
    [["--judge", "nothing.yaml"], /cannot read the judge nothing\.yaml: ENOENT; pass a judge file, or longer or first/],
  ])("%j: one line and exit code 2", async (more, line) => {
    const running = start("mistaken", "http://127.0.0.1:9/v1", 1, more);
    expect(await running.ended).toBe(2);
    expect(running.text.stdout).toBe("");
    expect(running.text.stderr).toMatch(line);
    expect(running.text.stderr.trimEnd()).not.toContain("\n");
  });
});
