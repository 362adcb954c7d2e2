/** From replies to verdicts: log-probabilities, texts, and everything that is none. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCompletion } from "../openai/completion.js";
import { isTooLong } from "../openai/failure.js";
import type { VerdictParser } from "../records/judge-file.js";
import { parseVerdict } from "./parsers.js";
import { rejectionOf, verdictOf } from "./verdict.js";

type Reading = Parameters<typeof verdictOf>[1];
const noTop =
  "no top_logprobs in the reply, only log-probabilities of its own tokens; write `verdict: sampled` if this server gives none";
const weighted: Reading = { verdict: "logprobs", markers: ["m", "M"], parser: "markers", position: "first" };
const sampled: Reading = { ...weighted, verdict: "sampled" };

const chat = (content: string | null, more: object = {}, message: object = {}) =>
  readCompletion({
    choices: [{ message: { role: "assistant", content, ...message }, finish_reason: "stop", ...more }],
  })!;

const withTop = (...places: Record<string, number>[]) =>
  chat(places.map(() => "m").join("\n"), {
    finish_reason: "length",
    logprobs: {
      content: places.map((place, i) => ({
        token: i === 0 ? "m" : "\nm",
        top_logprobs: Object.entries(place).map(([token, logprob]) => ({ token, logprob })),
      })),
    },
  });

describe("a weighted verdict", () => {
  it.each([
    [{ m: Math.log(0.6), M: Math.log(0.2) }, 0.75],
    [{ M: -0.1, The: -3 }, 0], // a missing marker counts as 0
    [{ m: -20, The: -0.001 }, 1],
    [{ m: -800, M: -800 }, 0.5], // exp(-800) is 0 in float64
    [{ m: -1, M: -1001 }, 1],
  ])("%j is %d", (top, first) => {
    const verdict = verdictOf(withTop(top), weighted);
    expect(verdict.outcome).toBe("judged");
    expect((verdict as { first: number }).first).toBeCloseTo(first, 14);
  });
  it("takes the first or the last place as the judge says", () => {
    const reply = withTop({ m: 0, M: -9 }, { m: -9, M: 0 });
    for (const finish of ["length", "MAX_TOKENS", "max_tokens", "model_length"]) {
      for (const position of ["first", "last"] as const)
        expect(verdictOf({ ...reply, finish }, { ...weighted, position })).toMatchObject({ outcome: "truncated" });
    }
    const whole = { ...reply, finish: "stop" };
    expect((verdictOf(whole, weighted) as { first: number }).first).toBeGreaterThan(0.99);
    expect((verdictOf(whole, { ...weighted, position: "last" }) as { first: number }).first).toBeLessThan(0.01);
  });
  it("gives half of a third marker to each answer", () => {
    const verdict = verdictOf(withTop({ A: Math.log(0.5), B: Math.log(0.1), C: Math.log(0.4) }), {
      ...weighted,
      markers: ["A", "B", "C"],
    });
    expect((verdict as { first: number }).first).toBeCloseTo(0.7, 14);
  });
  it("reads the older API's log-probabilities", () => {
    const reply = readCompletion({
      choices: [{ text: "m", logprobs: { tokens: ["m"], top_logprobs: [{ m: -0.5, M: -0.5 }] } }],
    })!;
    expect(verdictOf(reply, weighted)).toEqual({ outcome: "judged", first: 0.5 });
  });
  it.each([
    ["wrong markers", withTop({ mm: -0.1, Both: -1 }), "unparsed", "no marker among the likeliest tokens"],
    ["none at all", chat("m"), "unparsed", "no log-probabilities in the reply"],
    ["its own alone", chat("m", { logprobs: { content: [{ token: "m", logprob: -0.1 }] } }), "unparsed", noTop],
    ["an empty list", chat("m", { logprobs: { content: [] } }), "unparsed", "no log-probabilities in the reply"],
    ["a refusal", chat(null, {}, { refusal: "No." }), "refused", "the judge declined"],
    ["a filter", chat("", { finish_reason: "content_filter" }), "refused", "stopped by the server's content filter"],
  ])("%s is none", (_what, reply, outcome, reason) => {
    expect(verdictOf(reply, weighted)).toEqual({ outcome, reason });
  });
});

describe("a sampled verdict", () => {
  it.each([
    ["m", 1],
    [" M\n", 0],
    ["**M**", 0],
    ["`m`.", 1],
    ["m\n\nAnswer M is short and leaves the question open, so I did not choose M.", 1],
    ["Both are long. The second, named M, is right.\n\nM", 0],
  ])("%j is %d", (text, first) => {
    expect(verdictOf(chat(text), sampled)).toEqual({ outcome: "judged", first });
  });
  it.each([
    ["", "the reply is empty"],
    ["  \n", "the reply is empty"],
    ["<think>m</think>", "nothing but reasoning in the reply"],
    ["<think>m\n", "its reasoning never ends"],
    ["m\nM", "several verdicts in the reply"],
    ...["Both are fine.", "Mm", "model", "I'm", "m_1", "1", "I'm torn: m is short. Best: M", "M at first, but m"].map(
      (text) => [text, "no verdict that was offered"],
    ),
  ])("%j is none", (text, reason) => {
    expect(verdictOf(chat(text), sampled)).toEqual({ outcome: "unparsed", reason });
  });
  it("is no part of a field for reasoning", () => {
    expect(verdictOf(chat(null, {}, { reasoning_content: "m" }), sampled)).toEqual({
      outcome: "unparsed",
      reason: "nothing but reasoning in the reply",
    });
    expect(verdictOf(chat("M", {}, { reasoning: "m" }), sampled)).toEqual({ outcome: "judged", first: 0 });
  });
  it("that was cut off counts only where all of it is the verdict", () => {
    for (const finish_reason of ["length", "max_tokens", "MAX_TOKENS", "model_length", "max_output_tokens"]) {
      const cut = { finish_reason };
      expect(verdictOf(chat("M", cut), sampled)).toEqual({ outcome: "judged", first: 0 });
      expect(verdictOf(chat("M\nAt first sight", cut), sampled)).toMatchObject({ outcome: "truncated" });
    }
  });
  it("that ended with an error is none", () => {
    for (const finish_reason of ["error", "ERROR", "server_error", "abort", "insufficient_system_resource"])
      expect(readCompletion({ choices: [{ message: { content: "m" }, finish_reason }] })).toBeUndefined();
  });
  it.each([
    ['{"verdict":"m","verdict":"M"}', "several verdicts in the reply"],
    ['{"a":{"verdict":"m"},"a":{"verdict":"M"}}', "several verdicts in the reply"],
    ['{"verdict":"m","verdict":"m"}', 1],
    ['{"worse":"M","worse":"m","verdict":"M"}', 0],
    ['{"verdict": "\\u006d", "why": ["verdict: M", "x"]}', 1],
  ])("%s counts every value under a key", (text, result) => {
    const verdict = verdictOf(chat(text), sampled);
    expect(verdict).toMatchObject(typeof result === "number" ? { first: result } : { reason: result });
  });
  it.each<[VerdictParser, string, number | "several"]>([
    [{ first: "Verdict: A", second: "Verdict: B" }, "Verdict: A? No. Verdict: B", "several"],
    [{ first: "Verdict: A", second: "Verdict: B" }, "Verdict: B. So Verdict: B", 0],
    [{ first: "A", second: "B", tie: "A and B tie" }, "A and B tie", 0.5],
    [
      "ranking",
      "{'model':'m','rank':1},{'model':'M','rank':2} no: {'model':'m','rank':2},{'model':'M','rank':1}",
      "several",
    ],
    ["ranking", "{'model':'m','rank':1},{'model':'M','rank':1}", "several"],
  ])("%j: verdicts that differ are several: %j", (parser, text, result) => {
    expect(parseVerdict(text, parser, ["m", "M"])).toBe(result);
  });
  it("with `compat` the first model's last rank counts, as AlpacaEval has it", () => {
    const text = "{'model':'m','rank':1} {'model':'m','rank':2}";
    expect(parseVerdict(text, "ranking", ["m", "M"], "alpaca_eval")).toBe(0);
  });
  it.each<[VerdictParser, string[], string, number | "several" | undefined]>([
    [
      { first: "\\[\\[A\\]\\]", second: "\\[\\[B\\]\\]", tie: "\\[\\[C\\]\\]" },
      ["m", "M"],
      "[[A]] … no, [[C]]",
      "several",
    ],
    [{ first: "Output \\(a\\)", second: "Output \\(b\\)" }, ["m", "M"], "Output (a), not output (b)", 1],
    ["ranking", ["model_1", "model_2"], "[{'model': 'model_1', 'rank': 2}, {'model': 'model_2', 'rank': 1}]", 0],
    ["ranking", ["m", "M"], '{"ordered_models": [{"model": "m", "rank": 1}, {"model": "M", "rank": 2}]}', 1],
    ["ranking", ["model_1", "model_2"], "[{'model': 'model_1', 'rank': 3}]", undefined],
    ["scores", ["m", "M"], "7 1\nmore text", 1],
    ["scores", ["m", "M"], "1, 7.5", 0],
    ["scores", ["m", "M"], "1 1", 0.5],
    ["scores", ["m", "M"], "7 of 10", undefined],
    ["markers", ["[[A]]", "[[B]]"], "so\n[[B]]", 0],
  ])("parser %j of %j: %j is %s", (parser, names, text, first) => {
    expect(parseVerdict(text, parser, names)).toBe(first);
  });
  it("sentences before and behind it do not change it, and another marker of its own takes it away", () => {
    const prose = fc
      .string({ unit: "grapheme" })
      .map((text) => `It says ${text.replace(/[\n\r\u2028\u2029{}<>[\]]/g, " ")} or so`);
    fc.assert(
      fc.property(prose, fc.constantFrom("m", "M"), prose, (ahead, marker, behind) => {
        const text = `${ahead}\n${marker}\n${behind}`;
        expect(parseVerdict(text, "markers", ["m", "M"])).toBe(marker === "m" ? 1 : 0);
        expect(parseVerdict(`${text}\n${marker === "m" ? "M" : "m"}`, "markers", ["m", "M"])).toBe("several");
      }),
    );
  });
});

describe("a body", () => {
  it.each([
    null,
    1,
    [],
    {},
    { choices: [] },
    { choices: [{}] },
    { error: "x" },
    { choices: [{ message: { content: 1 } }] },
  ])("%j is not a completion", (body) => {
    expect(readCompletion(body)).toBeUndefined();
  });
  it("may be anything without harm", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const reply = readCompletion({
          choices: [{ message: value, logprobs: value, finish_reason: "stop" }],
          usage: value,
        });
        if (reply !== undefined) expect(verdictOf(reply, weighted).outcome).not.toBe("judged");
      }),
    );
  });
});

it("a rejected request is about its pair, or about how every request looks", () => {
  expect(isTooLong("400 This model's maximum context length is 4096 tokens")).toBe(true);
  expect(isTooLong("400 max_tokens is not supported; use max_completion_tokens")).toBe(false);
  expect(rejectionOf("400 flagged", true).outcome).toBe("refused");
  expect(rejectionOf("400 content_filter: no", undefined).outcome).toBe("refused"); // a ledger that does not tell
  expect(rejectionOf("413 too large", false).outcome).toBe("failed");
});
