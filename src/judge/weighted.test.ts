/** Verdicts weighed by log-probabilities as servers send them: tokens of one text, white space, reasoning, and what is no log-probability. */
import { describe, expect, it } from "vitest";
import { readCompletion } from "../openai/completion.js";
import type { Reading, Verdict } from "./reading.js";
import { verdictOf } from "./verdict.js";

const judge: Reading = { verdict: "logprobs", markers: ["m", "M"], parser: "markers", position: "first" };

type Top = readonly (readonly [string, unknown])[];

function verdict(
  places: readonly (readonly [string, Top])[],
  more: Partial<Reading> = {},
  message: object = {},
  finish = "stop",
) {
  const content = places.map(([token, top]) => ({
    token,
    top_logprobs: top.map(([text, logprob]) => ({ token: text, logprob })),
  }));
  const said = places.map(([token]) => token).join("");
  const body = { choices: [{ message: { content: said, ...message }, finish_reason: finish, logprobs: { content } }] };
  return verdictOf(readCompletion(body)!, { ...judge, ...more });
}
const shareOf = (result: Verdict): number => (result.outcome === "judged" ? result.first : Number.NaN);
const p = (...tops: (readonly [string, number])[]): Top => tops.map(([token, share]) => [token, Math.log(share)]);

describe("tokens that are one marker", () => {
  const twice = p(["m", 0.6], ["M", 0.3], ["m", 0.05]);
  it("add up, whether a space belongs to them or not", () => {
    expect(shareOf(verdict([["m", twice]]))).toBeCloseTo(0.65 / 0.95, 12); // 0.684
    for (const text of [" m", "m ", "\nm", "▁m", "Ġm"]) {
      expect(shareOf(verdict([["m", p(["m", 0.2], [text, 0.4], ["M", 0.2])]]))).toBeCloseTo(0.75, 12);
      expect(shareOf(verdict([[text, p([text, 0.4], ["M", 0.1])]]))).toBeCloseTo(0.8, 12);
    }
  });
  it("count by their own text alone, and the last of two, as AlpacaEval has it", () => {
    const compat = { compat: "alpaca_eval" } as const;
    expect(shareOf(verdict([["m", twice]], compat))).toBeCloseTo(0.05 / 0.35, 12);
    expect(shareOf(verdict([["m", p([" m", 0.6], ["M", 0.3])]], compat))).toBe(0);
  });
  it("that differ in white space alone are told apart by it", () => {
    expect(shareOf(verdict([["m", p(["m", 0.6], [" m", 0.2])]], { markers: ["m", " m"] }))).toBeCloseTo(0.75, 12);
  });
});

describe("behind reasoning", () => {
  const think = p(["<think>", 0.99], ["M", 0.01]);
  const inside = p(["M", 0.9], ["m", 0.1]);
  const end = p(["m", 0.7], ["M", 0.3]);
  const reasons: [string, Top][] = [
    ["<think>", think],
    ["M", inside],
    ["</think>", p(["</think>", 1])],
    ["\n\n", p(["\n\n", 1])],
    ["m", end],
  ];
  it("the first token of the reply decides", () => {
    expect(shareOf(verdict(reasons))).toBeCloseTo(0.7, 12);
    expect(shareOf(verdict(reasons.slice(1)))).toBeCloseTo(0.7, 12); // opened by the chat template
    expect(shareOf(verdict(reasons, { position: "last" }))).toBeCloseTo(0.7, 12);
  });
  it("in a field of its own, what was said tells where the reply begins", () => {
    const mixed: [string, Top][] = [
      ["M ", inside],
      ["\n", p(["\n", 1])],
      ["m", end],
    ];
    expect(shareOf(verdict(mixed, {}, { content: "m", reasoning_content: "M" }))).toBeCloseTo(0.7, 12);
    expect(shareOf(verdict([["m", end]], {}, { content: "m", reasoning_content: "M" }))).toBeCloseTo(0.7, 12);
    expect(verdict(mixed, {}, { content: "n", reasoning_content: "M" })).toEqual({
      outcome: "unparsed",
      reason: "the tokens of the log-probabilities are not the reply's text",
    });
  });
  it("that never ended there is no verdict", () => {
    expect(verdict(reasons.slice(0, 2))).toEqual({ outcome: "unparsed", reason: "its reasoning never ends" });
    expect(verdict(reasons.slice(0, 4))).toEqual({ outcome: "unparsed", reason: "nothing but reasoning in the reply" });
    expect(verdict(reasons.slice(0, 1), {}, {}, "length").outcome).toBe("truncated");
  });
});

describe("the tokens of a reply", () => {
  const inside = p(["M", 0.9], ["m", 0.05]);
  const end = p(["m", 0.99], ["M", 0.01]);
  const tokens: [string, Top][] = [
    ["M", inside],
    [" is better.", p(["x", 1])],
    ["\n", p(["\n", 1])],
    ["m", end],
  ];
  it.each([
    [{ content: "m" }],
    [{ content: "m", reasoning_content: "M is better." }],
    [{ content: "m", thinking: "M is better." }],
    [{ content: "m", reasoning_details: [{ type: "reasoning.text", text: "M is better." }] }],
    [{ content: [{ type: "thinking", thinking: "M" }, "m"] }],
  ])("that no longer have their reasoning beside them are read where %j stands", (message) => {
    for (const last of [
      [],
      [["<|im_end|>", p(["<|im_end|>", 1])]],
      [
        ["\n", []],
        ["</s>", []],
      ],
    ] as [string, Top][][]) {
      expect(shareOf(verdict([...tokens, ...last], {}, message))).toBeCloseTo(0.99, 12);
    }
  });
  it("are another text: nothing is read", () => {
    for (const content of ["n", "M m", "The better is m"])
      expect(verdict(tokens, {}, { content })).toMatchObject({ outcome: "unparsed" });
  });
  it("may be very many, all of them white space", () => {
    const blanks = Array.from({ length: 5_000 }, (): [string, Top] => [" ".repeat(50), []]);
    expect(shareOf(verdict([["m", end], ...blanks], {}, { content: "m" }))).toBeCloseTo(0.99, 12);
    expect(verdict([["M", end], ...blanks], {}, { content: "m" }).outcome).toBe("unparsed");
  });
  it("may end with a stop sequence that the text has not", () => {
    expect(
      shareOf(
        verdict(
          [
            ["m", end],
            ["###", []],
          ],
          {},
          { content: "m" },
        ),
      ),
    ).toBeCloseTo(0.99, 12);
  });
});

describe("the place of the verdict", () => {
  const one = (token: string): [string, Top] => [token, p([token, 0.9], ["m", 1e-4], ["M", 1e-5])];
  const sure = p(["M", 0.9], ["m", 0.1]);
  const inJson = ['{"', "verdict", '":"'].map(one);
  it.each<[string, [string, Top][], number | string]>([
    ["a sentence", [one("The"), one(" better"), one(" is"), [" M", sure]], "no verdict that was offered"],
    ["JSON", [...inJson, ["M", sure], one('"}')], 0.1],
    [
      "JSON in one token with its quotation mark",
      [one('{"verdict":'), ['"M', p(['"M', 0.6], ['"m', 0.2])], one('"}')],
      0.25,
    ],
    ["a key", [one("Answer"), one(":"), [" M", p([" M", 0.6], [" m", 0.2])]], 0.25],
    ["a tag", [one("<verdict>"), ["M", sure], one("</verdict>")], 0.1],
    ["a line below JSON", [one('{"a":1}'), one("\n"), ["M", sure]], 0.1],
    ["two", [["m", sure], one("\n"), ["M", sure]], "several verdicts in the reply"],
    ["one token", [[" m", p([" m", 0.6], [" M", 0.2])]], 0.75],
    ["one token that is none, as AlpacaEval 2 weighs it", [["Neither", p(["m", 0.2], ["M", 0.2])]], 0.5],
  ])("is the grammar's: %s", (_what, places, result) => {
    for (const position of ["first", "last"] as const) {
      const found = verdict(places, { position });
      if (typeof result === "string") expect(found).toEqual({ outcome: "unparsed", reason: result });
      else expect(shareOf(found)).toBeCloseTo(result, 12);
    }
  });
  it("with `compat` is the first token's, whatever it says", () => {
    const places = [one("The"), one(" better"), one(" is"), [" M", sure]] as [string, Top][];
    expect(shareOf(verdict(places, { compat: "alpaca_eval" }))).toBeCloseTo(10 / 11, 12);
  });
});

describe("what is no log-probability", () => {
  it.each([
    [Number.POSITIVE_INFINITY, "a log-probability in the reply is not a finite number"],
    [Number.NaN, "a log-probability in the reply is not a finite number"],
    [null, "a log-probability in the reply is not a finite number"],
    ["-0.1", "a log-probability in the reply is not a finite number"],
    [800, "a log-probability in the reply is above 0"],
  ])("%s makes the reply none", (value, reason) => {
    expect(
      verdict([
        [
          "m",
          [
            ["m", value],
            ["M", -1],
          ],
        ],
      ]),
    ).toEqual({ outcome: "unparsed", reason });
  });
  it("a rounding error above 0 is forgiven, and what stands for impossible is not weighed", () => {
    expect(
      shareOf(
        verdict([
          [
            "m",
            [
              ["m", 1e-6],
              ["M", -9999],
            ],
          ],
        ]),
      ),
    ).toBe(1);
    expect(
      verdict([
        [
          "m",
          [
            ["m", -1e308],
            ["M", -1e308],
          ],
        ],
      ]).outcome,
    ).toBe("unparsed");
  });
});
