/**
 * Replies as no server should send them, from the bytes on the wire to the annotation: whatever comes, a call has an outcome, its ledger
 * line can be read again and says the same, and nothing throws.
 */
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { openClient } from "../openai/client.js";
import { realClock } from "../openai/clock.js";
import type { Attempt } from "../openai/transport.js";
import { type Annotation, annotationsJson } from "../records/annotations.js";
import { judgeSchema, type OpenaiJudge } from "../records/judge-file.js";
import { annotatePair } from "./annotate.js";
import { judgeWords, openJudge } from "./calls.js";
import { openReplies } from "./replies.js";

afterEach(() => vi.unstubAllGlobals());

const judges = (["logprobs", "sampled"] as const).map(
  (verdict) =>
    judgeSchema.parse({
      kind: "openai",
      base_url: "http://127.0.0.1/v1",
      model: "j",
      verdict,
      order: "alpaca_eval",
    }) as OpenaiJudge,
);
const top = [
  { token: "m", logprob: -0.1 },
  { token: "M", logprob: -3 },
];
const good = {
  id: "x",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "m", refusal: null },
      finish_reason: "stop",
      logprobs: { content: [{ token: "m", logprob: -0.1, top_logprobs: top }] },
    },
  ],
  usage: { prompt_tokens: 100, completion_tokens: 1 },
};

/** One call, answered so, as a run would have it. */
async function outcomeOf(judge: OpenaiJudge, status: number, text: string): Promise<Annotation> {
  vi.stubGlobal("fetch", async () => new Response(text, { status }));
  const replies = openReplies(new Set(["k"]), judge);
  const lines: string[] = [];
  const attempts: Attempt[] = [];
  const send = openJudge(judge, {});
  const call = { key: "k", vote: 0, shown: { instruction: "", first: "", second: "" }, messages: () => [] };
  const client = openClient<typeof call>({
    send: async (one) => {
      attempts.push(await send(one));
      return attempts.at(-1)!;
    },
    server: "s",
    words: judgeWords,
    limits: { ...judge.limits, retries: 0 },
    estimate: () => ({ input: 1, output: 1 }),
    clock: realClock,
    earlier: 1,
    record: async (line) => {
      lines.push(JSON.stringify(line));
      replies.visit(line);
    },
  });
  await client.ask(call).catch((error: Error) => expect(error.name).toBe("UserError"));
  expect(lines.length).toBe(1);
  const again = openReplies(new Set(["k"]), judge);
  for (const line of lines) again.visit(JSON.parse(line));
  expect(again.get("k")?.verdict).toEqual(replies.get("k")!.verdict);
  expect(again.has("k")).toBe(attempts[0]!.kind === "reply" || replies.has("k")); // what was paid for is not paid again
  const pair = {
    instruction: "q",
    dataset: undefined,
    baseline: "a",
    model: "b",
    calls: [{ key: "k", switched: false, vote: 0 }],
  };
  const row = annotatePair(pair, judge, { baseline: "b", model: "m", annotator: "j" }, again.get);
  const bytes = [...annotationsJson([row])].join("");
  const known = annotatePair(pair, judge, { baseline: "b", model: "m", annotator: "j" }, replies.get);
  expect(bytes).toBe([...annotationsJson([known])].join(""));
  return row;
}

const json = JSON.stringify(good);
const whole = (changes: object): string => JSON.stringify({ ...good, ...changes });
const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const message = (content: unknown, more: object = {}): string =>
  whole({ choices: [{ message: { content, ...more }, finish_reason: "stop", logprobs: good.choices[0]!.logprobs }] });

it.each(
  [
    [json, "judged", "judged"],
    [whole({ usage: { prompt_tokens: 1e308, completion_tokens: 1e308 } }), "judged", "judged"],
    [whole({ usage: { prompt_tokens: -1, completion_tokens: "many" } }), "judged", "judged"],
    [json.replace("-3", "1e999"), "unparsed", "judged"],
    [json.replace("-3", "-1e999"), "unparsed", "judged"],
    [json.replace("-3", '"x"'), "unparsed", "judged"],
    [json.replace("100", "1e999"), "judged", "judged"],
    [json.replace(/}$/, `,"zz":${deep(5000)}}`), "unparsed", "unparsed"],
    [json.replace(/}$/, `,"zz":${deep(100_000)}}`), "unparsed", "unparsed"],
    [json.replace(/}$/, ',"__proto__":{"a":1}}'), "judged", "judged"],
    [json.replaceAll('"m"', '"\\ud800"'), "judged", "unparsed"],
    [
      message([
        { type: "thinking", thinking: "M" },
        { type: "text", text: "m" },
      ]),
      "judged",
      "judged",
    ],
    [message([{ type: "refusal", refusal: "No." }]), "refused", "refused"],
    [message(null, { refusal: "No." }), "refused", "refused"],
    [message({}), "failed", "failed"],
    [whole({ choices: [{ finish_reason: "content_filter" }] }), "refused", "refused"],
    [whole({ error: { code: "content_filter", message: "no" }, choices: [] }), "refused", "refused"],
    [whole({ choices: null }), "failed", "failed"],
    [whole({ choices: [] }), "failed", "failed"],
    [whole({ choices: [null] }), "failed", "failed"],
    [whole({ choices: { 0: good.choices[0] } }), "failed", "failed"],
    [`data: ${json}\n\ndata: [DONE]\n\n`, "judged", "judged"],
    [`data: ${json}`.slice(0, 200), "failed", "failed"],
    ["<html>Sign in</html>", "failed", "failed"],
    ["", "failed", "failed"],
    [deep(5000), "unparsed", "unparsed"],
  ].map(([text = "", ...outcomes]) => [text.slice(-60), outcomes, text] as const),
)("… %j is %j, weighed and sampled", async (_end, expected, text) => {
  const outcomes = [];
  for (const judge of judges) outcomes.push((await outcomeOf(judge, 200, text)).outcome);
  expect(outcomes).toEqual(expected);
});

it("200 mutated replies: an outcome each", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "1e999",
      "-1e999",
      "null",
      "[]",
      "{}",
      '""',
      "1e308",
      "-0",
      "[[[[",
      "}}}",
      '"M"',
      "data: ",
      "\\u0000",
      "</think>",
      "\n",
    ),
    fc.string({ unit: "binary", maxLength: 6 }),
  );
  const mutation = fc.record({ at: fc.nat(json.length), cut: fc.nat(12), piece });
  const value = fc.jsonValue({ maxDepth: 3 });
  const body = fc.oneof(
    fc
      .array(mutation, { minLength: 1, maxLength: 4 })
      .map((all) => all.reduce((text, one) => text.slice(0, one.at) + one.piece + text.slice(one.at + one.cut), json)),
    fc
      .record({ choices: fc.array(fc.record({ message: value, logprobs: value, finish_reason: value })), usage: value })
      .map((one) => JSON.stringify(one)),
    value.map((one) => JSON.stringify({ ...good, error: one })),
  );
  await fc.assert(
    fc.asyncProperty(
      body,
      fc.constantFrom(...judges),
      fc.constantFrom(200, 200, 200, 400, 429, 500),
      async (text, judge, status) => {
        const { outcome, preference } = await outcomeOf(judge, status, text);
        expect(["judged", "unparsed", "refused", "truncated", "failed"]).toContain(outcome);
        if (outcome === "judged") expect(preference! >= 1 && preference! <= 2).toBe(true);
        else expect(preference).toBeNull();
      },
    ),
    { numRuns: 200 },
  );
});
