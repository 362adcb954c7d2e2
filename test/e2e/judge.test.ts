/**
 * `tacit judge` as a process: killed it asks for no reply twice and loses none; two of them do not meet in one folder; its
 * key is nowhere; what it says and where.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { KEY, killAndGoOn, openJudgeProcesses, until } from "../judge-processes.js";
import { type JudgeServer, openJudgeServer, type ServerOptions } from "../judge-server.js";
import { type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 }); // a build, and processes that start one after the other

const folder = temporaryFolder();
let staged: StagedPackage;
beforeAll(() => {
  staged = stagePackage();
});
afterAll(() => staged.remove());

const processes = openJudgeProcesses(folder, () => staged);
const { start, repliesOf } = processes;

let server: JudgeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const serve = async (options: ServerOptions = {}): Promise<JudgeServer> => {
  server = await openJudgeServer(options);
  return server;
};

describe("killed and started again", () => {
  it("asks for no reply twice, loses none, and leaves the bytes of a run that was left alone", () =>
    killAndGoOn(processes, { pairs: 160, moments: 4, atMost: 30 })); // test/shared has twenty moments and 805 pairs
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
      new RegExp(`^tacit: \\S*shared/run\\.json is in use by process ${first.child.pid}; wait for it to end`),
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
    expect(files.length).toBe(4);
    expect(files.join("")).toContain("[key]");
    for (const text of [...files, running.text.stdout, running.text.stderr]) expect(text).not.toContain(KEY);
  });
});

describe("a judge that gives no reply", () => {
  it("to any call: one line, exit code 2 and no result; to some: exit code 0, and it is said", async () => {
    let down = (content: string): boolean => content !== "";
    const { url } = await serve({ misbehave: (_id, content) => (down(content) ? "not-a-completion" : undefined) });
    const none = start("none", url, 3, ["--retries", "0"]);
    expect(await none.ended).toBe(2);
    expect(none.text.stdout).toBe("");
    expect(none.text.stderr).toMatch(
      /\ntacit: none of 6 calls to the judge got a usable reply: the model is loading; what came is in the ledger .*\n$/,
    );
    expect(readdirSync(folder.path("none"))).toEqual(["events.jsonl", "ledger.jsonl"]);
    down = (content) => content.includes("Question 1?");
    const some = start("none", url, 3, ["--retries", "0"]);
    expect(await some.ended).toBe(0);
    expect(some.text.stderr).toMatch(
      /2 of 6 calls got no reply, and their pairs are in no rate: give the same command/,
    );
  });
});

describe("mistakes", () => {
  it.each([
    [["--order", "random"], /--order.*Allowed choices are both, alpaca_eval/],
    [["--concurrency", "0"], /--concurrency.*from 1 to 256/],
    [["--timeout", "0"], /--timeout.*above 0/],
    [["--max-cost", "2"], /needs the judge's price; give it in the judge file/],
    [
      ["--judge", "nothing.yaml"],
      /nothing\.yaml: no such file or folder; pass a judge file, or one of checker, longer, first/,
    ],
  ])("%j: one line and exit code 2", async (more, line) => {
    const running = start("mistaken", "http://127.0.0.1:9/v1", 1, more);
    expect(await running.ended).toBe(2);
    expect(running.text.stdout).toBe("");
    expect(running.text.stderr).toMatch(line);
    expect(running.text.stderr.trimEnd()).not.toContain("\n");
  });
});
