/** Bodies as servers send them: JSON, streams that nobody asked for, and what is neither. */
import { describe, expect, it } from "vitest";
import { readBody } from "./body.js";

const chunk = (delta: object, more: object = {}): string =>
  `data: ${JSON.stringify({ id: "x", model: "j", choices: [{ index: 0, delta, ...more }] })}\n\n`;
const valueIn = (text: string): unknown => {
  const body = readBody(text);
  return body.kind === "value" ? body.value : body;
};

describe("JSON", () => {
  it("is its value, and says whether its numbers can be computed with", () => {
    expect(readBody(' {"a":[1]}')).toEqual({ kind: "value", value: { a: [1] }, finite: true, streamed: false });
    expect(readBody('{"a":[1e999]}')).toMatchObject({ value: { a: [Number.POSITIVE_INFINITY] }, finite: false });
  });
  it.each([
    ["", "the reply is empty"],
    [" \n", "the reply is empty"],
    ["<html>\n<b>oops\u001b[2J</b>", "the reply is not JSON: <html> <b>oops\\u001b[2J</b>"],
    ['{"a":', 'the reply is not JSON: {"a":'],
  ])("%j is none", (text, reason) => {
    expect(readBody(text)).toEqual({ kind: "none", reason });
  });
  it("may begin with a byte order mark", () => {
    expect(readBody('\uFEFF{"a":1}')).toMatchObject({ kind: "value", value: { a: 1 } });
  });
  it("is not read beyond 128 levels, whatever is in its strings", () => {
    expect(readBody(`${"[".repeat(128)}${"]".repeat(128)}`).kind).toBe("value");
    for (const levels of [129, 5000, 2_000_000]) expect(readBody("[".repeat(levels)).kind).toBe("deep");
    expect(readBody(JSON.stringify(`\\"${"[".repeat(500)}`)).kind).toBe("value");
  });
});

describe("a stream", () => {
  const parts = [
    ": keep-alive\n\n",
    chunk({ role: "assistant", reasoning_content: "M" }),
    chunk({ content: "m" }, { logprobs: { content: [{ token: "m", top_logprobs: [{ token: "m", logprob: -0.1 }] }] } }),
    chunk({
      content: [
        { type: "text", text: "\nis" },
        { type: "thinking", text: "M" },
      ],
    }),
    chunk({}, { finish_reason: "stop" }),
    'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n',
  ];
  const whole = {
    model: "j",
    choices: [
      {
        index: 0,
        finish_reason: "stop",
        logprobs: { content: [{ token: "m", top_logprobs: [{ token: "m", logprob: -0.1 }] }] },
        message: {
          role: "assistant",
          content: "m\nis",
          reasoning_content: "M",
          reasoning_details: [{ type: "thinking", text: "M" }],
        },
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 2 },
  };
  it("is the completion that it would have been", () => {
    const text = `${parts.join("")}data: [DONE]\n\n`;
    expect(readBody(text)).toEqual({ kind: "value", value: whole, finite: true, streamed: true });
    for (const other of [text.replaceAll("\n", "\r\n"), text.replaceAll("\n\n", "\n"), parts.join("")]) {
      expect(valueIn(other)).toEqual(whole);
    }
  });
  it("of the older API is a text", () => {
    const text = ["m", "\nx"].map((t) => `data: ${JSON.stringify({ choices: [{ text: t }] })}\n\n`).join("");
    expect(valueIn(`${text}data: [DONE]\n`)).toMatchObject({ choices: [{ text: "m\nx" }] });
  });
  it("of the older API keeps its log-probabilities", () => {
    const text = ["m", "\n"]
      .map((t) => ({ tokens: [t], token_logprobs: [-0.1], top_logprobs: [{ [t]: -0.1 }] }))
      .map((logprobs) => `data: ${JSON.stringify({ choices: [{ text: logprobs.tokens[0], logprobs }] })}\n\n`)
      .join("");
    expect(valueIn(`${text}data: [DONE]\n`)).toMatchObject({
      choices: [
        {
          text: "m\n",
          logprobs: { tokens: ["m", "\n"], token_logprobs: [-0.1, -0.1], top_logprobs: [{ m: -0.1 }, { "\n": -0.1 }] },
        },
      ],
    });
  });
  it("keeps what beside it was thought, under whatever name", () => {
    const text = ["A", "B"].map((t) => chunk({ thinking: t, reasoning_details: [{ text: t }] })).join("");
    expect(valueIn(`${text}${chunk({ content: ["m"] }, { finish_reason: "stop" })}`)).toMatchObject({
      choices: [{ message: { content: "m", thinking: "AB", reasoning_details: [{ text: "A" }, { text: "B" }] } }],
    });
  });
  it("without a choice has none", () => {
    expect(valueIn('data: {"choices":[]}\n\ndata: [DONE]\n\n')).toEqual({
      model: undefined,
      choices: [],
      usage: undefined,
    });
  });
  it("that holds an error is that error", () => {
    expect(valueIn(`${parts[1]}data: {"error":{"code":429}}\n\n`)).toEqual({ error: { code: 429 } });
  });
  it.each([
    [parts.slice(0, 4).join(""), /^the stream broke off: /],
    ["data: {\n\n", /^an event of the stream is not JSON: data: \{/],
    ["event: ping\n\n", /^the stream holds no events/],
    [`data: ${"[".repeat(5000)}\n\n`, /^an event of the stream is not JSON/],
  ])("%j is none", (text, reason) => {
    const body = readBody(text);
    expect(body.kind === "none" && body.reason).toMatch(reason);
  });
});
