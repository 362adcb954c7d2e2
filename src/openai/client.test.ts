/** Waiting, retrying and stopping, on a clock that only this test moves; and requests as they are made. */
import { describe, expect, it } from "vitest";
import { limitsSchema } from "../records/judge-file.js";
import type { ReplyLine } from "../records/reply-ledger.js";
import { inParallel } from "../util/parallel.js";
import { type Answer, type ClientOptions, openClient, type Spent } from "./client.js";
import type { Clock } from "./clock.js";
import { openBudget } from "./cost.js";
import { retryAfter } from "./exchange.js";
import { retryDelay } from "./pace.js";
import { cleaner } from "./secrets.js";
import type { Attempt } from "./transport.js";

/** Time passes only where somebody waits. */
function fakeClock(): Clock & { readonly slept: number[] } {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    chance: () => 0.5,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

interface Call {
  readonly key: string;
}
const call = (i: number): Call => ({ key: `k${i}` });
const calls = (n: number): Call[] => Array.from({ length: n }, (_, i) => call(i));

const reply = (usage?: { prompt_tokens: number; completion_tokens: number }): Attempt => ({
  kind: "reply",
  status: 200,
  body: { choices: [{ message: { content: "m" } }], ...(usage === undefined ? {} : { usage }) },
});

type Options = ClientOptions<Call>;

function setUp(send: Options["send"], limits: object, more: Partial<Options> = {}) {
  const lines: ReplyLine[] = [];
  const clock = fakeClock();
  const asking: Options = {
    send,
    server: "s",
    words: { who: "the judge", address: "base_url", model: "model", where: " in the judge file", refused: "change it" },
    limits: limitsSchema.parse({ concurrency: 1, backoff_seconds: 1, retries: 3, ...limits }),
    estimate: () => ({ input: 103, output: 1 }),
    record: async (line) => void lines.push(line),
    clock,
    earlier: 0,
    ...more,
  };
  return { asking, lines, clock };
}

/** All calls through one client, and what came of them. */
async function askAll(all: readonly Call[], options: Options): Promise<Spent & { readonly failed: number }> {
  const client = openClient(options);
  const answers: Answer[] = [];
  for await (const answer of inParallel(all, options.limits.concurrency, client.ask)) answers.push(answer);
  return { ...client.spent(), failed: answers.filter(({ kind }) => kind === "failed" || kind === "refused").length };
}

describe("pace", () => {
  it("requests are let through evenly", async () => {
    const { asking, clock } = setUp(async () => reply(), { requests_per_minute: 30 });
    await askAll(calls(4), asking);
    expect(clock.slept).toEqual([2000, 2000, 2000]);
  });
  it("tokens too, first as estimated, then as the server counted them", async () => {
    const usage = { prompt_tokens: 203, completion_tokens: 1 }; // 100 more than thought
    const { asking, clock } = setUp(async () => reply(usage), { tokens_per_minute: 6000 });
    await askAll(calls(3), asking);
    expect(clock.slept).toEqual([2040, 2040]); // 204 tokens at 100 a second
  });
});

describe("retries", () => {
  it("wait as the server asks, else twice as long each time", async () => {
    const answers: Attempt[] = [
      { kind: "again", status: 429, error: "429", waitMs: 5000 },
      { kind: "again", status: 500, error: "500" },
      { kind: "again", status: null, error: "ECONNRESET" },
      reply(),
    ];
    const { asking, clock, lines } = setUp(async () => answers.shift()!, {});
    expect(await askAll(calls(1), asking)).toMatchObject({ requests: 4, replies: 1, failed: 0 });
    expect(clock.slept).toEqual([5250, 1500, 3000]); // asked and 5 % of it; three quarters of 2 s and of 4 s
    expect(lines.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 429],
      [2, 500],
      [3, null],
      [4, 200],
    ]);
  });
  it("have an end, and then the call is failed", async () => {
    const { asking, lines } = setUp(async () => ({ kind: "again", status: 500, error: "500" }), {});
    expect(await askAll(calls(2), asking)).toMatchObject({ requests: 8, replies: 0, failed: 2 });
    expect(lines.every((line) => "error" in line && line.rejected === undefined)).toBe(true);
  });
  it("no delay is below half or above the whole of its step, and none above a minute", () => {
    expect([retryDelay(3, 500, undefined, 0), retryDelay(3, 500, undefined, 1)]).toEqual([2000, 4000]);
    expect(retryDelay(60, 500, undefined, 1)).toBe(60_000);
    expect(retryDelay(0, 500, 0, 0)).toBe(0);
  });
  it.each([
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after-ms": "70", "retry-after": "2" }, 70],
    [{ "retry-after": "Sun, 22 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sun, 22 Nov 2020 12:00:30 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-5", "retry-after-ms": "1e400" }, undefined],
    [{}, undefined],
  ])("%j is %s ms", (headers, ms) => {
    expect(retryAfter(new Headers(headers as Record<string, string>), Date.UTC(2026, 10, 22, 12))).toBe(ms);
  });
});

describe("stopping", () => {
  it("a refused request is its call's alone where others were answered, and the run's end where none was", async () => {
    const refuse: Attempt = { kind: "rejected", status: 400, error: "400 bad", filtered: false };
    const { asking, lines } = setUp(async ({ key }) => (key === "k1" ? refuse : reply()), {});
    expect(await askAll(calls(3), asking)).toMatchObject({ requests: 3, replies: 2, failed: 1 });
    expect(lines.map((line) => "rejected" in line)).toEqual([false, true, false]);
    const first = setUp(async () => refuse, {});
    await expect(askAll(calls(3), first.asking)).rejects.toThrow("the judge refuses the request: 400 bad");
    expect(first.lines.length).toBe(1);
  });
  it("what is under way when the signal comes is recorded, and nothing more is asked", async () => {
    const stop = new AbortController();
    const send = async ({ key }: Call): Promise<Attempt> => {
      if (key === "k2") stop.abort(new Error("stopped"));
      return reply();
    };
    const { asking, lines } = setUp(send, {}, { signal: stop.signal });
    await expect(askAll(calls(9), asking)).rejects.toThrow("stopped");
    expect(lines.map(({ key }) => key)).toEqual(["k0", "k1", "k2"]);
  });
  it("an address where nobody listens is named", async () => {
    const refused: Attempt = { kind: "again", status: null, error: "ECONNREFUSED", code: "ECONNREFUSED" };
    const { asking, lines } = setUp(async () => refused, { retries: 1 }, { server: "http://127.0.0.1:9/v1" });
    await expect(askAll(calls(9), asking)).rejects.toThrow(
      "nobody answers at the judge's address http://127.0.0.1:9/v1 (ECONNREFUSED)",
    );
    expect(lines.length).toBe(2);
  });
  it("a ledger that cannot be written ends the run", async () => {
    const { asking } = setUp(async () => reply(), {}, { record: async () => Promise.reject(new Error("disk full")) });
    await expect(askAll(calls(9), asking)).rejects.toThrow("disk full");
  });
});

describe("a budget", () => {
  it("is not passed, also where calls cost four times what they were thought to", async () => {
    const price = { input: 1e6, output: 0 }; // a dollar a token: 103 thought, 412 in truth
    const budget = openBudget(2000, price);
    const usage = { prompt_tokens: 412, completion_tokens: 1 };
    const { asking } = setUp(async () => reply(usage), { concurrency: 4 }, { budget });
    expect(await askAll(calls(20), asking)).toMatchObject({ replies: 4, dollars: 1648, outOfMoney: true });
  });
  it.each([undefined, { prompt_tokens: 1e308, completion_tokens: 1e308 }, { prompt_tokens: -5, completion_tokens: 0 }])(
    "counts a reply whose tokens are %j as it was thought to cost, and no request without a reply",
    async (usage) => {
      const budget = openBudget(1000, { input: 1e6, output: 1e6 }); // 103 and 1 thought
      const answers: Attempt[] = [reply(usage), { kind: "again", status: 500, error: "500" }];
      const { asking, clock } = setUp(
        async () => answers.shift() ?? reply(usage),
        { tokens_per_minute: 6000 },
        { budget },
      );
      expect(await askAll(calls(20), asking)).toMatchObject({ replies: 9, dollars: 936, outOfMoney: true });
      expect(Math.max(...clock.slept)).toBeLessThan(10_000); // 1e308 tokens are not waited for
    },
  );
});

describe("the key", () => {
  it("is taken out of everything that a value holds", () => {
    const clean = cleaner("sk-12345");
    expect(clean({ a: ["x sk-12345 y", { "sk-12345": 1 }], b: null, c: 2 })).toEqual({
      a: ["x [key] y", { "[key]": 1 }],
      b: null,
      c: 2,
    });
    expect(cleaner("none")("none of these")).toBe("none of these");
  });
});
