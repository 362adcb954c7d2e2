/** Judging from files to files: what is asked, what is kept, what is counted. The judge is a server on loopback. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type JudgeServer, misbehaviours, openJudgeServer, type ServerOptions } from "../../test/judge-server.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { Checker, Checkers } from "../judge/checker.js";
import { loadJudge } from "../judge/judge-file.js";
import type { Annotation } from "../records/annotations.js";
import type { JudgeInput } from "../records/judge-file.js";
import type { ReplyLine } from "../records/reply-ledger.js";
import { type JudgeOptions, judge, judgePaths, olderLockPath } from "./judge.js";
import { estimateJudging, planJudging } from "./judge-plan.js";

const folder = temporaryFolder();
let count = 0;
const fresh = (name: string): string => folder.path(`${name}-${count++}`);

interface Row {
  readonly instruction: string;
  readonly output: string;
  readonly generator: string;
  readonly dataset?: string;
}

const rowsOf = (generator: string, n: number): Row[] =>
  Array.from({ length: n }, (_, i) => ({ instruction: `Question ${i}?`, output: `${generator} says ${i}`, generator }));

function files(model: readonly Row[], baseline: readonly Row[]): { outputs: string; baseline: string; out: string } {
  const out = fresh("run");
  return {
    outputs: folder.write(`outputs-${count}.json`, JSON.stringify(model)),
    baseline: folder.write(`baseline-${count}.json`, JSON.stringify(baseline)),
    out,
  };
}

let server: JudgeServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(options: ServerOptions = {}): Promise<JudgeServer> {
  server = await openJudgeServer(options);
  return server;
}

const judgeAt = (url: string, more: Partial<JudgeInput> = {}): JudgeInput =>
  ({
    kind: "openai",
    base_url: url,
    model: "a-judge",
    verdict: "logprobs",
    limits: { backoff_seconds: 0.002, timeout_seconds: 5 },
    ...more,
  }) as JudgeInput;

const ledgerOf = (out: string): ReplyLine[] =>
  readFileSync(judgePaths(out).ledger, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ReplyLine);
const annotationsOf = (out: string): Annotation[] =>
  JSON.parse(readFileSync(judgePaths(out).annotations, "utf8")) as Annotation[];
const bytesOf = (out: string): string[] =>
  [judgePaths(out).annotations, judgePaths(out).run].map((path) => readFileSync(path, "utf8"));

/** One run against a server that behaves. */
async function plainRun(n: number, more: Partial<JudgeInput> = {}, options: Partial<JudgeOptions> = {}) {
  const { url } = await serve();
  const paths = files(rowsOf("model", n), rowsOf("base", n));
  return { ...(await judge({ ...paths, judge: judgeAt(url, more), ...options })), out: paths.out, paths };
}

describe("a run against a judge that behaves", () => {
  it("asks each pair in both orders and writes annotations, ledger and record", async () => {
    const { annotations, run, spent, out } = await plainRun(20);
    expect(server!.asked.length).toBe(40);
    expect(ledgerOf(out).length).toBe(40);
    expect(new Set(ledgerOf(out).map(({ key }) => key)).size).toBe(40);
    expect(annotationsOf(out)).toEqual(annotations);
    expect(run.outcomes).toMatchObject({ judged: 20, failed: 0 });
    expect([run.n_total, run.calls.total, spent.requests, spent.reused]).toEqual([20, 40, 40, 0]);
    expect(run.tokens).toEqual({ input: 4000, output: 40 });
    for (const row of annotations) {
      const [base, switched] = row.calls!;
      expect([base!.switched, switched!.switched]).toEqual([false, true]);
      expect(row.preference).toBeCloseTo((base!.preference! + switched!.preference!) / 2, 14);
      expect((row.raw_completion as unknown[]).length).toBe(2);
      expect(row).toMatchObject({ generator_1: "base", generator_2: "model" });
      expect(row.annotator).toMatch(/^openai@[0-9a-f]{12}$/);
    }
    const mean = annotations.reduce((sum, { preference }) => sum + preference! - 1, 0) / 20;
    expect(run.win_rate).toBeCloseTo(100 * mean, 10);
    expect(run.bounds!.low).toBeCloseTo(run.win_rate!, 10);
    expect(run.both_orders).toBe(20);
    expect(run.flips).toBe(
      annotations.filter(({ calls }) => (calls![0]!.preference! - 1.5) * (calls![1]!.preference! - 1.5) < 0).length,
    );
  });
  it("sends one chat completion a verdict: a token, its five likeliest, AlpacaEval 2's temperature", async () => {
    await plainRun(1);
    expect(server!.asked[0]!.body).toMatchObject({
      model: "a-judge",
      max_tokens: 1,
      temperature: 1,
      logprobs: true,
      top_logprobs: 5,
    });
    expect(server!.asked[0]!.headers.authorization).toBeUndefined();
  });
  it("asks once a pair, in AlpacaEval's order, where that is asked for", async () => {
    const { annotations, run } = await plainRun(20, {}, { order: "alpaca_eval" });
    expect(server!.asked.length).toBe(20);
    const switched = annotations.map(({ calls }) => calls![0]!.switched);
    expect([switched.includes(true), switched.includes(false)]).toEqual([true, true]);
    for (const { content } of server!.asked) {
      const i = Number(/Question (\d+)\?/.exec(content)?.[1]); // requests of several workers arrive in any order
      expect([i, content.indexOf("model says") < content.indexOf("base says")]).toEqual([i, switched[i]]);
    }
    expect([run.both_orders, run.flip_rate]).toEqual([0, null]);
    expect((annotations[0]!.raw_completion as { index: number }).index).toBe(0); // the choice itself, as AlpacaEval keeps it
  });
  it("takes the mean of several sampled verdicts, each a request of its own", async () => {
    const { annotations, run } = await plainRun(3, { verdict: "sampled", votes: 3 });
    expect(server!.asked.length).toBe(18);
    expect(new Set(server!.asked.map(({ body }) => body.seed))).toEqual(new Set([0, 1, 2]));
    expect(server!.asked[0]!.body).toMatchObject({ temperature: 1, max_tokens: 256 });
    expect(server!.asked[0]!.body.logprobs).toBeUndefined();
    expect(annotations.map(({ preference }) => [1, 1.5, 2].includes(preference!))).toEqual([true, true, true]);
    expect(run.judge.verdict).toMatch(/3 sampled verdicts per order, without log-probabilities/);
  });
  it("sends a plain completion where the judge says so", async () => {
    await plainRun(1, {
      api: "completions",
      verdict: "sampled",
      parameters: { temperature: null, stop: ["\n"] },
    } as never);
    const { body } = server!.asked[0]!;
    expect([typeof body.prompt, body.messages, body.temperature, body.stop]).toEqual([
      "string",
      undefined,
      undefined,
      ["\n"],
    ]);
  });
});

describe("pairs that need no call", () => {
  it("identical ones are drawn, empty ones have no verdict, both are counted and neither is asked", async () => {
    const { url } = await serve();
    const model = rowsOf("model", 6).map((row, i) => ({ ...row, output: ["same", "", "same", " \n", "", "x"][i]! }));
    const base = rowsOf("base", 6).map((row, i) => ({ ...row, output: ["same", "", "same", "y", "y", ""][i]! }));
    const paths = files(model, base);
    const { annotations, run } = await judge({ ...paths, judge: judgeAt(url) });
    expect(server!.asked.length).toBe(0);
    expect(annotations.map(({ preference, outcome }) => [preference, outcome])).toEqual([
      [1.5, "identical"],
      [null, "empty"],
      [1.5, "identical"],
      [null, "empty"],
      [null, "empty"],
      [null, "empty"],
    ]);
    expect(run.reasons).toEqual([
      { outcome: "identical", reason: "a draw without a call", count: 2 },
      { outcome: "empty", reason: "the model's output is empty", count: 2 },
      { outcome: "empty", reason: "both outputs are empty", count: 1 },
      { outcome: "empty", reason: "the baseline's output is empty", count: 1 },
    ]);
    // Draws of equal texts alone are no rate; what it could be is known all the same.
    expect([run.win_rate, run.n_total, run.bounds!.low, run.bounds!.high]).toEqual([null, 2, 100 / 6, 500 / 6]);
    expect(run.win_rate_undefined).toBe("all 2 verdicts are draws of identical outputs, which no judge decided");
  });
  it("an empty output is judged as any other where that is asked for", async () => {
    const { url } = await serve();
    const paths = files([{ ...rowsOf("model", 1)[0]!, output: "" }], rowsOf("base", 1));
    const { run } = await judge({ ...paths, judge: judgeAt(url), empty: "ask" });
    expect([server!.asked.length, run.outcomes.judged]).toEqual([2, 1]);
  });
  it("equal pairs are asked once", async () => {
    const { url } = await serve();
    const twice = (rows: Row[]): Row[] => [...rows, ...rows];
    const { run, annotations } = await judge({
      ...files(twice(rowsOf("model", 3)), twice(rowsOf("base", 3))),
      judge: judgeAt(url),
    });
    expect([server!.asked.length, run.calls.total, run.outcomes.judged]).toEqual([6, 6, 6]);
    expect(annotations.slice(0, 3)).toEqual(annotations.slice(3));
  });
});

describe("a judge that misbehaves", () => {
  it("205 pairs: every pair has its outcome, every request its line", async () => {
    // Each request meets something by its number; what a pair's own answer is like goes by its text.
    const byNumber = ["429", "429-after", "500", "cut", "not-json", "not-a-completion", "reset"] as const;
    const byText = { 3: "wrong-markers", 4: "no-logprobs", 5: "refusal", 6: "filtered" } as const;
    const inHundred = (content: string): number => Number(/Question (\d+)\?/.exec(content)?.[1]) % 100;
    const { url } = await serve({
      misbehave: (id, content) => {
        const bad = id % 11 === 0 ? byNumber[(id / 11) % byNumber.length] : undefined;
        return bad ?? byText[inHundred(content) as keyof typeof byText];
      },
    });
    const paths = files(rowsOf("model", 205), rowsOf("base", 205));
    const { annotations, run, spent } = await judge({
      ...paths,
      order: "alpaca_eval", // half the calls; both orders meet the same in the test of the process
      judge: judgeAt(url, { limits: { concurrency: 32, backoff_seconds: 0.002, timeout_seconds: 30 } }),
    });
    const lines = ledgerOf(paths.out);
    expect([lines.length, spent.requests]).toEqual([server!.asked.length, server!.asked.length]);
    expect(lines.filter((line) => "body" in line).length).toBe(server!.answered.size);
    expect(annotations.length).toBe(205);
    // Of each hundred the questions 03 to 06: two hundreds, and 203 and 204.
    expect(run.outcomes).toEqual({
      judged: 205 - 10,
      identical: 0,
      empty: 0,
      unparsed: 3 + 3,
      refused: 2 + 2,
      truncated: 0,
      failed: 0,
    });
    expect(run.calls).toEqual({ total: 205, outcomes: { judged: 205 - 10, unparsed: 6, refused: 4 } });
    expect(
      new Set(
        lines.filter((line) => "body" in line || ("error" in line && line.rejected === true)).map(({ key }) => key),
      ).size,
    ).toBe(205);
    expect(run.reasons.map(({ reason, count: n }) => [n, reason])).toEqual([
      [3, "no log-probabilities in the reply"],
      [3, "no marker among the likeliest tokens"],
      [2, "400 content_filter: the prompt was filtered"],
      [2, "the judge declined"],
    ]);
    expect(run.n_total).toBe(205 - 10);
    const share = (205 - 10) / 205;
    expect(run.bounds!.low).toBeCloseTo(run.win_rate! * share, 10);
    expect(run.bounds!.high).toBeCloseTo(run.win_rate! * share + 100 * (1 - share), 10);
    const reached = new Set(server!.asked.map(({ misbehaviour }) => misbehaviour));
    expect(misbehaviours.filter((one) => !reached.has(one))).toEqual(["slow"]); // its own test waits for a timeout
    expect(server!.mostAtOnce()).toBeLessThanOrEqual(32);
  }, 240_000);
  it("a slow reply is given up after the timeout and asked for again", async () => {
    const { url } = await serve({ misbehave: (id) => (id === 0 ? "slow" : undefined), slowMs: 2000 });
    const paths = files(rowsOf("model", 1), rowsOf("base", 1));
    const { run } = await judge({
      ...paths,
      judge: judgeAt(url, { limits: { timeout_seconds: 0.2, backoff_seconds: 0.001 } }),
    });
    expect(run.outcomes.judged).toBe(1);
    expect(ledgerOf(paths.out).flatMap((line) => ("error" in line ? [line.error] : []))).toEqual([
      "no reply within 0.2 s",
    ]);
  });
  it("calls without a reply are failed, and asked again by the same command", async () => {
    let down = true;
    const { url } = await serve({
      misbehave: (_id, content) => (down && content.includes("Question 2?") ? "500" : undefined),
    });
    const paths = files(rowsOf("model", 5), rowsOf("base", 5));
    const options = { ...paths, judge: judgeAt(url, { limits: { retries: 2, backoff_seconds: 0.001 } }) };
    const first = await judge(options);
    expect(first.run.outcomes).toMatchObject({ judged: 4, failed: 1 });
    expect(first.annotations[2]).toMatchObject({
      preference: null,
      outcome: "failed",
      reason: "500 <html>oops</html>",
    });
    expect(server!.asked.length).toBe(8 + 2 * 3);
    down = false;
    const second = await judge(options);
    expect(second.run.outcomes).toMatchObject({ judged: 5, failed: 0 });
    expect(server!.asked.length).toBe(8 + 2 * 3 + 2);
    expect(second.spent).toMatchObject({ requests: 2, reused: 8 });
  });
  it("stops, with what is finished kept, where no call gets a reply any more", async () => {
    const { url } = await serve({ misbehave: (id) => (id < 20 ? undefined : "500") });
    const paths = files(rowsOf("model", 200), rowsOf("base", 200));
    const options = { ...paths, judge: judgeAt(url, { limits: { retries: 1, backoff_seconds: 0.001 } }) };
    await expect(judge(options)).rejects.toThrow(/the last 10 calls to the judge got no reply: 500/);
    expect(server!.asked.length).toBeLessThan(80);
    expect(ledgerOf(paths.out).filter((line) => "body" in line).length).toBe(20);
    expect(existsSync(judgePaths(paths.out).annotations)).toBe(false);
  });
  it("stops where its first replies all lack log-probabilities", async () => {
    const { url } = await serve({ misbehave: () => "no-logprobs" });
    const paths = files(rowsOf("model", 50), rowsOf("base", 50));
    await expect(judge({ ...paths, judge: judgeAt(url) })).rejects.toThrow(/hold no log-probabilities/);
    expect(server!.asked.length).toBeLessThan(30);
  });
});

describe("what no retry helps", () => {
  it.each([
    [
      400,
      { error: { message: "max_tokens is not supported" } },
      /refuses the request: 400 max_tokens is not/,
      /change `parameters`/,
    ],
    [401, { error: { message: "bad key" } }, /401 bad key/, /set OPENAI_API_KEY to a key/],
    [403, {}, /403/, /may not use a-judge/],
    [404, { error: { message: "no such model" } }, /404 no such model/, /base_url .* and model \(a-judge\)/],
    [429, { error: { code: "insufficient_quota" } }, /429 insufficient_quota/, /nothing left to spend/],
    [301, "", /301/, /check base_url/],
  ])("%i ends the run at once and says what to do", async (code, body, message, remedy) => {
    const { url } = await serve({ status: { code, body } });
    const paths = files(rowsOf("model", 50), rowsOf("base", 50));
    const error = await judge({ ...paths, judge: judgeAt(url) }).catch((e: unknown) => e);
    expect((error as { line: string }).line).toMatch(message);
    expect((error as { line: string }).line).toMatch(remedy);
    expect(server!.asked.length).toBeLessThanOrEqual(8); // those that were under way
    expect(new Set(server!.asked.map(({ content }) => content)).size).toBe(server!.asked.length); // none of them twice
  });
  it("an address where nobody listens is said after three requests", async () => {
    const { url } = await serve();
    await server!.close();
    const paths = files(rowsOf("model", 50), rowsOf("base", 50));
    await expect(judge({ ...paths, judge: judgeAt(url) })).rejects.toThrow(/nobody answers .*ECONNREFUSED/);
  });
  it("a wait of hours is not waited for", async () => {
    const { url } = await serve({ status: { code: 429, body: {}, headers: { "retry-after": "7200" } } });
    const paths = files(rowsOf("model", 2), rowsOf("base", 2));
    await expect(judge({ ...paths, judge: judgeAt(url) })).rejects.toThrow(/asks to wait 120 minutes/);
  });
});

describe("what a server says", () => {
  const completion = (content: string, more: object = {}): object => ({
    choices: [{ message: { content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 1 },
    ...more,
  });
  const run = async (body: unknown, more: Partial<JudgeInput> = {}, n = 3, same: readonly number[] = []) => {
    const { url } = await serve({ status: { code: 200, body } });
    const model = rowsOf("model", n).map((row, i) => (same.includes(i) ? { ...row, output: `base says ${i}` } : row));
    const paths = files(model, rowsOf("base", n));
    const judging = {
      ...judgeAt(url, { verdict: "sampled", ...more } as never),
      limits: { retries: 0, backoff_seconds: 0 },
    };
    const options = { ...paths, judge: judging as JudgeInput };
    return { options, again: () => judge(options) };
  };

  it.each([
    [{ error: { message: "Rate limit\u001b[2J exceeded", code: 429 } }, "429 Rate limit\\u001b[2J exceeded"],
    ["<html>Sign in</html>", "the reply is not JSON: <html>Sign in</html>"],
    ["", "the reply is empty"],
    [{ choices: null }, 'the reply is not a completion: {"choices":null}'],
  ])("%j to every call is no result, not even of identical pairs", async (body, reason) => {
    const { again, options } = await run(body, {}, 3, [1]);
    for (let time = 1; time <= 2; time++) {
      await expect(again()).rejects.toThrow(`none of 4 calls to the judge got a usable reply: ${reason}`);
      expect(ledgerOf(options.out).map((line) => "error" in line && line.error)).toEqual(Array(4 * time).fill(reason));
      expect(existsSync(judgePaths(options.out).annotations)).toBe(false);
    }
  });
  it("is no rate where identical pairs alone have a verdict", async () => {
    const { again } = await run(completion("Both are good."), {}, 3, [1]);
    const { run: record, unusable } = await again();
    expect(unusable?.line).toMatch(
      /^no reply to 4 calls holds a verdict that can be used: no verdict that was offered \(the first reply: Both are good\.\); look at .*ledger\.jsonl, then change prompt_file/,
    );
    expect(record.outcomes).toMatchObject({ identical: 1, unparsed: 2 });
    expect([record.win_rate, record.standard_error, record.discrete_win_rate]).toEqual([null, null, null]);
    expect(record.win_rate_undefined).toBe("the one verdict is a draw of identical outputs, which no judge decided");
  });
  it("that holds a verdict makes the others a matter of the record", async () => {
    const { again } = await run(completion("m"));
    expect((await again()).unusable).toBeUndefined();
  });
  it("is never in annotations beside the record of others", async () => {
    const { again, options } = await run(completion("m"));
    await again();
    const { annotations, run: record } = judgePaths(options.out);
    const before = readFileSync(record, "utf8");
    rmSync(annotations);
    mkdirSync(join(annotations, "full"), { recursive: true }); // cannot be replaced
    await expect(judge({ ...options, order: "alpaca_eval", force: true })).rejects.toThrow();
    expect(readdirSync(options.out).sort()).toEqual(["annotations.json", "events.jsonl", "ledger.jsonl", "run.json"]);
    expect(readFileSync(record, "utf8")).toBe(before);
    rmSync(annotations, { recursive: true });
    await again();
    expect(readFileSync(record, "utf8")).toBe(before);
    expect(existsSync(annotations)).toBe(true);
  });
  it("of a filter is refused, and not asked again", async () => {
    const { again } = await run({ error: { message: "no", code: "content_filter" } });
    const { run: record, spent } = await again();
    expect([record.outcomes.refused, record.outcomes.failed, spent.requests]).toEqual([3, 0, 6]);
    expect((await again()).spent.requests).toBe(0);
  });
  it.each([
    ["usage", completion("m", { usage: { prompt_tokens: 1e308, completion_tokens: 1e308 } }), {}, { judged: 3 }],
    [
      "log-probabilities",
      JSON.stringify(completion("m")).replace(
        '"finish',
        '"logprobs":{"content":[{"token":"m","top_logprobs":[{"token":"m","logprob":1e999}]}]},"finish',
      ),
      { verdict: "logprobs" as const },
      { unparsed: 3 },
    ],
    [
      "nesting",
      JSON.stringify(completion("m", { z: 0 })).replace(":0", `:${"[".repeat(6000)}${"]".repeat(6000)}`),
      {},
      { unparsed: 3 },
    ],
    [
      "a stream",
      `data: ${JSON.stringify({ choices: [{ delta: { content: "m" } }] })}\n\ndata: [DONE]\n\n`,
      {},
      { judged: 3 },
    ],
  ])("of %s that cannot be is kept, counted, and not paid for twice", async (_what, body, more, outcomes) => {
    const { again, options } = await run(body, more as Partial<JudgeInput>);
    const { run: record } = await again();
    expect(record.outcomes).toMatchObject(outcomes);
    if (_what !== "log-probabilities") expect([record.tokens, record.replies_without_tokens]).toEqual([null, 6]);
    const before = bytesOf(options.out);
    expect((await again()).spent).toMatchObject({ requests: 0, reused: 6 });
    expect(bytesOf(options.out)).toEqual(before);
  });
});

describe("the same command again", () => {
  it("asks nothing and writes the same bytes", async () => {
    const { out, paths } = await plainRun(10);
    const before = bytesOf(out);
    const again = await judge({ ...paths, judge: judgeAt(server!.url) });
    expect(again.spent).toMatchObject({ requests: 0, reused: 20 });
    expect([server!.asked.length, bytesOf(out)]).toEqual([20, before]);
  });
  it("from any part of the ledger it asks for the rest and writes the same bytes", async () => {
    const { out, paths } = await plainRun(10);
    const whole = readFileSync(judgePaths(out).ledger);
    for (const share of [0, 0.01, 0.3, 0.77, 1]) {
      const cut = fresh("cut");
      mkdirSync(cut);
      const part = whole.subarray(0, Math.floor(share * whole.length));
      writeFileSync(judgePaths(cut).ledger, part);
      const finished = part.toString("utf8").split("\n").length - 1;
      const { spent } = await judge({ ...paths, out: cut, judge: judgeAt(server!.url) });
      expect([spent.requests, spent.reused]).toEqual([20 - finished, finished]);
      expect(bytesOf(cut)).toEqual(bytesOf(out));
    }
  });
  it("with another parser or order asks only for what is new; with another model for everything", async () => {
    const { out, paths } = await plainRun(5, { verdict: "sampled" });
    const other = (more: Partial<JudgeInput>) =>
      judge({ ...paths, force: true, judge: judgeAt(server!.url, { verdict: "sampled", ...more } as never) });
    const { run, spent } = await other({ parser: { first: "M", second: "m" } });
    expect(spent).toMatchObject({ requests: 0, reused: 10 });
    expect(run.n_total).toBe(5);
    expect((await other({ order: "alpaca_eval" })).spent).toMatchObject({ requests: 0, reused: 5 });
    expect((await other({ model: "another" } as never)).spent).toMatchObject({ requests: 10, reused: 0 });
    expect(ledgerOf(out).length).toBe(20);
  });
  it("refuses to replace another run's result, and keeps the ledger when told to", async () => {
    const { out, paths } = await plainRun(3);
    const options = { ...paths, judge: judgeAt(server!.url), order: "alpaca_eval" } as const;
    await expect(judge(options)).rejects.toThrow(/result of other outputs, another judge or other options/);
    expect((await judge({ ...options, force: true })).spent).toMatchObject({ requests: 0, reused: 3 });
    expect(ledgerOf(out).length).toBe(6);
  });
  it("does not take a folder for its own that holds somebody else's annotations", async () => {
    const { url } = await serve();
    const paths = files(rowsOf("model", 1), rowsOf("base", 1));
    mkdirSync(paths.out);
    writeFileSync(judgePaths(paths.out).annotations, "[]");
    await expect(judge({ ...paths, judge: judgeAt(url) })).rejects.toThrow(/annotations\.json is the result of other/);
    expect(readFileSync(judgePaths(paths.out).annotations, "utf8")).toBe("[]");
  });
  it("an older version's lock goes where its process is dead, and keeps others out where it is not", async () => {
    const { out, paths } = await plainRun(2);
    const before = bytesOf(out);
    const options = { ...paths, judge: judgeAt(server!.url) };
    const lock = olderLockPath(out);
    const heldBy = (pid: number | undefined): void =>
      writeFileSync(lock, JSON.stringify({ pid, host: hostname(), token: "older" }));
    heldBy(process.ppid);
    await expect(judge(options)).rejects.toThrow(`in use by process ${process.ppid}`);
    expect(readdirSync(out).filter((name) => name.includes("lock"))).toEqual(["judge.lock"]);
    heldBy(spawnSync(process.execPath, ["-e", ""]).pid);
    writeFileSync(join(out, ".0123456789ab.partial"), "");
    await judge(options);
    expect(readdirSync(out).sort()).toEqual(["annotations.json", "events.jsonl", "ledger.jsonl", "run.json"]);
    expect(bytesOf(out)).toEqual(before);
  });
  it("a broken line in the ledger is named", async () => {
    const { out, paths } = await plainRun(1);
    writeFileSync(judgePaths(out).ledger, '{"key": 3}\n');
    await expect(judge({ ...paths, judge: judgeAt(server!.url) })).rejects.toThrow(
      /ledger\.jsonl:1: not a line of this ledger/,
    );
  });
});

describe("money", () => {
  const price = { input: 1000, output: 1000 }; // 100 + 1 tokens a call: 10.1 cents

  it("a limit stops before it is passed, says so, and a higher one goes on", async () => {
    const { url } = await serve();
    const paths = files(rowsOf("model", 50), rowsOf("base", 50));
    const options = { ...paths, judge: judgeAt(url, { price } as never), maxCost: 4 };
    const first = await judge(options);
    const asked = server!.asked.length;
    expect(asked).toBeGreaterThan(5);
    expect(0.101 * asked).toBeLessThanOrEqual(4);
    expect(first.run).toMatchObject({ stopped: "max-cost" });
    expect(first.run.dollars).toBeCloseTo(0.101 * asked, 10);
    expect(first.run.outcomes.judged + first.run.outcomes.failed).toBe(50);
    expect(first.annotations.at(-1)!.reason).toBe("not asked: the cost limit was reached");
    expect(first.run.bounds!.high - first.run.bounds!.low).toBeCloseTo(2 * first.run.outcomes.failed, 10);
    const second = await judge({ ...options, maxCost: 100 });
    expect([server!.asked.length, second.run.stopped, second.run.outcomes.judged]).toEqual([100, null, 50]);
    expect(second.run.dollars).toBeCloseTo(10.1, 10);
  });
  it("a limit that does not reach for one call is told", async () => {
    const { url } = await serve();
    const paths = files(rowsOf("model", 2), rowsOf("base", 2));
    const options = { ...paths, judge: judgeAt(url, { price } as never), maxCost: 0.01 };
    await expect(judge(options)).rejects.toThrow(/the limit on cost does not reach for a single call/);
    expect([server!.asked.length, existsSync(judgePaths(paths.out).annotations)]).toEqual([0, false]);
  });
  it("a limit without a price is refused before anything is asked", async () => {
    const { url } = await serve();
    const paths = files(rowsOf("model", 1), rowsOf("base", 1));
    await expect(judge({ ...paths, judge: judgeAt(url), maxCost: 1 })).rejects.toThrow(/needs the judge's price/);
    expect(server!.asked.length).toBe(0);
  });
  it("an estimate counts calls, what is there already, tokens and dollars, and writes nothing", async () => {
    const { out, paths } = await plainRun(4, { price } as never);
    const prices = folder.write("prices.yaml", "a-judge: { input: 10, output: 30 }\n");
    const plan = await planJudging({ ...paths, judge: judgeAt(server!.url, { price } as never), prices });
    const before = await estimateJudging(plan, undefined);
    expect(before).toMatchObject({ pairs: 4, calls: 8, reused: 0, identical: 0, empty: 0 });
    expect(before.tokens.output).toBe(8);
    expect(before.tokens.input).toBeGreaterThan(8 * 200);
    expect(before.dollars).toBeCloseTo((before.tokens.input * 10 + 8 * 30) / 1e6, 12);
    expect(await estimateJudging(plan, judgePaths(out).ledger)).toMatchObject({ reused: 8, dollars: 0 });
    const nowhere = fresh("nowhere");
    await estimateJudging(plan, judgePaths(nowhere).ledger);
    expect(existsSync(nowhere)).toBe(false);
  });
});

describe("the key", () => {
  it("goes into one header and nowhere else, whatever the server says", async () => {
    const key = "sk-very-secret-0123456789";
    const { url } = await serve({
      status: { code: 401, body: { error: { message: `Bad key ${key} in Bearer ${key}` } } },
    });
    process.env.TACIT_TEST_KEY = key;
    try {
      const paths = files(rowsOf("model", 1), rowsOf("base", 1));
      const options = { ...paths, judge: judgeAt(url, { api_key_env: "TACIT_TEST_KEY" } as never) };
      const error = await judge(options).catch((e: unknown) => e);
      expect(server!.asked[0]!.headers.authorization).toBe(`Bearer ${key}`);
      expect((error as { line: string }).line).toBe(
        "the judge: 401 Bad key [key] in Bearer [key]; check the key in TACIT_TEST_KEY",
      );
      expect(readFileSync(judgePaths(paths.out).ledger, "utf8")).not.toContain(key);
    } finally {
      delete process.env.TACIT_TEST_KEY;
    }
  });
  it("that is named and not set is asked for before anything is sent", async () => {
    const { url } = await serve();
    const paths = files(rowsOf("model", 1), rowsOf("base", 1));
    const options = { ...paths, judge: judgeAt(url, { api_key_env: "TACIT_NO_SUCH_KEY" } as never) };
    await expect(judge(options)).rejects.toThrow(/TACIT_NO_SUCH_KEY, which is not set/);
    expect(server!.asked.length).toBe(0);
  });
});

describe("judges that are not asked", () => {
  it("a checker's higher score wins; without a score there is no verdict", async () => {
    const model = rowsOf("model", 4).map((row, i) => ({ ...row, output: ["4", "1", "2", "?"][i]! }));
    const base = rowsOf("base", 4).map((row, i) => ({ ...row, output: ["3", "3", "2.0", "1"][i]! }));
    const number: Checker = ({ output }) => (output === "?" ? { reason: "no number" } : { total: Number(output) });
    const checkers = { number };
    const paths = files(model, base);
    const options = { ...paths, judge: { kind: "checker", checker: "number" } as const, checkers };
    const { annotations, run } = await judge(options);
    expect(annotations.map(({ preference }) => preference)).toEqual([2, 1, 1.5, null]);
    expect(annotations.map(({ score_1, score_2 }) => [score_1?.total, score_2?.total])).toEqual([
      ...[
        [3, 4],
        [3, 1],
        [2, 2],
      ],
      [undefined, undefined],
    ]);
    expect(run.judge.verdict).toMatch(/higher, 1 where it is lower, else 1.5; each output is scored by itself/);
    expect(run.outcomes).toMatchObject({ judged: 3, unparsed: 1 });
    expect(readFileSync(judgePaths(paths.out).ledger, "utf8")).toBe("");
    await expect(judge({ ...options, checkers: {}, out: fresh("no") })).rejects.toThrow(/unknown checker "number"/);
  });
  it("a checker is told how answers ended and what its prompts say, and near scores are a draw", async () => {
    const model = rowsOf("model", 3).map((row) => ({ ...row, output: "the same", stop: "length" }));
    const base = rowsOf("base", 3).map((row) => ({ ...row, output: "the same", stop: "eos" }));
    const seen: unknown[] = [];
    const checkers: Checkers = {
      worth: ({ stopped, prompt }) => {
        seen.push([stopped, prompt]);
        const { worth } = (prompt ?? {}) as { worth?: number };
        return worth === undefined
          ? { reason: "unheard of" }
          : { total: worth * (stopped === true ? 1 : 0.5), parts: { worth } };
      },
    };
    const prompts = folder.write(
      "checked.jsonl",
      `{"id":"a","instruction":"Question 0?","worth":1}\n{"instruction":"Question 1?","worth":0.1}\n`,
    );
    const definition: JudgeInput = { kind: "checker", checker: "worth", prompts: [prompts], draw: 0.05 };
    const { annotations, run } = await judge({ ...files(model, base), judge: definition, checkers });
    expect(annotations.map(({ preference }) => preference)).toEqual([1, 1.5, null]);
    expect(annotations[0]).toMatchObject({ score_1: { total: 1, parts: { worth: 1 } }, score_2: { total: 0.5 } });
    expect(seen[1]).toEqual([false, { id: "a", instruction: "Question 0?", worth: 1 }]);
    expect(run.reasons).toEqual([{ outcome: "unparsed", reason: "unheard of", count: 1 }]);
    expect(run.judge.verdict).toContain("by more than 0.05");
    // What the prompts say decides verdicts: another file is another judge.
    const hash = async (text: string): Promise<string> => {
      folder.write("checked.jsonl", text);
      return (await loadJudge(definition)).hash;
    };
    expect(await hash('{"instruction":"a"}')).not.toBe(run.judge.hash);
    for (const [text, line] of [
      ['{"instruction":"a","worth":1}\n{"instruction":"a","worth":2}\n', /checked.jsonl:2: another row/],
      ['{"worth":1}', /checked.jsonl:1: no "instruction"/],
      ["[", /checked.jsonl:1:2: not JSON: it ends inside a list/],
      ["[1]", /checked.jsonl:1 is not a JSON object/],
    ] as const) {
      folder.write("checked.jsonl", text);
      await expect(judge({ ...files(model, base), judge: definition, checkers, out: fresh("bad") })).rejects.toThrow(
        line,
      );
    }
  });
  it("human votes count whichever way round they were cast", async () => {
    const vote = (i: number, one: string, two: string, preference: number | null) => ({
      instruction: `Question ${i}?`,
      output_1: `${one} says ${i}`,
      output_2: `${two} says ${i}`,
      preference,
    });
    folder.write(
      "votes.json",
      JSON.stringify([
        vote(0, "base", "model", 2),
        vote(0, "model", "base", 2),
        vote(0, "model", "base", 1),
        vote(1, "model", "base", 2),
        vote(2, "base", "model", 0),
        vote(3, "base", "model", null),
      ]),
    );
    const file = folder.write("voters.yaml", "kind: votes\nfile: votes.json\n");
    const { annotations, run } = await judge({ ...files(rowsOf("model", 4), rowsOf("base", 4)), judge: file });
    expect(annotations.map(({ preference }) => preference)).toEqual([5 / 3, 1, 1.5, null]);
    expect(annotations[3]).toMatchObject({ outcome: "failed", reason: "nobody voted on this pair" });
    expect(annotations[0]!.annotator).toMatch(/^voters@/);
    expect(run.judge.verdict).toBe("the mean of the votes on a pair");
  });
  it("shipped judges show what a bias looks like", async () => {
    const paths = files(rowsOf("a long model", 5), rowsOf("base", 5));
    const longer = await judge({ ...paths, judge: "longer" });
    expect([longer.run.win_rate, longer.run.flips]).toEqual([100, 0]);
    const first = await judge({ ...paths, judge: "first", out: fresh("first") });
    expect([first.run.win_rate, first.run.flips, first.run.first_preferred!.estimate]).toEqual([50, 5, 1]);
  });
});

describe("files", () => {
  it("rows without a partner are counted", async () => {
    const { url } = await serve();
    const paths = files(rowsOf("model", 5).slice(1), rowsOf("base", 7));
    const { run, annotations } = await judge({ ...paths, judge: judgeAt(url), limit: 3 });
    expect(run.pairs).toEqual({ judged: 3, total: 3, only_outputs: 0, only_baseline: 3, beyond_limit: 1 });
    expect(annotations.map(({ instruction }) => instruction)).toEqual(["Question 1?", "Question 2?", "Question 3?"]);
  });
  it.each([
    ["[1]", /outputs\.json: row 1/],
    ['[{"instruction": "a", "output": null}]', /row 1: output: expected string, received null/],
    ["{", /outputs\.json:1:2: not JSON: it ends inside an object/],
    ["{}", /is not a JSON array/],
    ["[]", /holds no outputs/],
    [
      '[{"instruction":"Question 0?","output":"","generator":"a"},{"instruction":"q","output":"","generator":"b"}]',
      /outputs of "a" and of "b"/,
    ],
    ['[{"instruction":"q","output":"","generator":"a"}]', /have no instruction in common/],
  ])("%s is refused", async (text, message) => {
    const outputs = folder.write("outputs.json", text);
    const { baseline, out } = files([], rowsOf("base", 1));
    await expect(judge({ outputs, baseline, out, judge: "longer" })).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
  });
  it("a run's folder can be moved", async () => {
    const { out, paths } = await plainRun(2);
    const moved = fresh("moved");
    cpSync(out, moved, { recursive: true });
    expect((await judge({ ...paths, out: moved, judge: judgeAt(server!.url) })).spent.requests).toBe(0);
    expect(dirname(moved)).toBe(dirname(out));
  });
});
