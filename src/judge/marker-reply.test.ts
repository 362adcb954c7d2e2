/** The grammar of replies that name a marker, row by row as docs/guide/judge.md has it. */
import { describe, expect, it } from "vitest";
import { isOneMarker, markerNamed } from "./marker-reply.js";

const named = (reply: string, markers: readonly string[] = ["m", "M"]): string => {
  const result = markerNamed(reply, markers);
  return result.kind === "marker" ? (markers[result.index] ?? "") : result.kind;
};

describe("a marker decides", () => {
  it.each([
    ...["m", " m ", "**m**", "__m__", "`m`", '"m"', "“m”", "(m)", "[m]", "m.", "m!", "- m", "# m", "$m$", "\\boxed{m}"],
    ...["```\nm\n```", "m\n\nBecause M is wrong.", "M is short, m is right.\n\nm", "m\nm", "The better one:\r\nm\r\n"],
    ...["Answer: m", "answer = m", "**Verdict:** m", "### Final verdict: **m**.", "My choice： m", "Better answer: m"],
    ...["<verdict>m</verdict>", "<answer> m </answer>", "<answer>\nm\n</answer>"],
    ...[
      '{"verdict":"m"}',
      '{"verdict": "m", "reason": "M is long"}',
      '[{"winner": "m"}]',
      '{"result": {"better": "m"}}',
    ],
    ...['{"better": "m", "worse": "M"}', '```json\n{\n  "verdict": "m",\n  "why": "M"\n}\n```', "{'verdict': 'm'}"],
    ...['So: {"best_answer": "m"} it is', '{"preferredAnswer": "m"}', '{"verdict": "m",\n'],
  ])("in %j", (reply) => {
    expect(named(reply)).toBe("m");
  });
  it.each([
    [["[[A]]", "[[B]]"], "My verdict:\n\n[[A]].", "[[A]]"],
    [["[[A]]", "[[B]]", "[[C]]"], "Verdict: **[[C]]**", "[[C]]"],
    [["1", "2"], '{"verdict": 2}', "2"],
    [["model_1", "model_2"], "`model_2`", "model_2"],
    [["A", "A+"], "A+", "A+"],
  ])("of %j in %j", (markers, reply, marker) => {
    expect(named(reply, markers)).toBe(marker);
  });
});

describe("no marker decides", () => {
  it.each([
    ...[
      "",
      "Both are good.",
      "m is better",
      "I prefer m.",
      "The verdict is m",
      "m, M",
      "m or M",
      "m > M",
      "Mm",
      "am",
      "I'm",
    ],
    ...["m_1", "> m", "Confidence: m", "Worse: m", "Answer 1: m", "Note: not m", "1. m because", "m: it is short"],
    ...['{"worse": "M"}', '{"answer_1": "m"}', '{"reason": "m"}', '{"verdict": "m is better"}', '{"verdict": ["m"]}'],
    ...["<instruction>m</instruction>", `${"x".repeat(400)}: m`, '{"verdict": null}', "{".repeat(5000)],
  ])("in %j", (reply) => {
    expect(named(reply)).toBe("none");
  });
});

it.each(["m\nM", "Answer: m\nFinal answer: M", '{"verdict": "m", "answer": "M"}', 'm\n{"verdict": "M"}'])(
  "two decide in %j",
  (reply) => {
    expect(named(reply)).toBe("several");
  },
);

it("a reply is one marker with what may surround it, or more", () => {
  const one = (reply: string): boolean => isOneMarker(reply, ["m", "M"]);
  expect([one(" **M**\n"), one("Answer: m"), one("m\nbecause"), one("At first M")]).toEqual([true, true, false, false]);
});

it("takes time in proportion to the reply", () => {
  const started = performance.now();
  for (const text of ['{"a":', "{[", "Answer: ", '"\\', "m ", "**"]) named(text.repeat(100_000));
  for (const text of ["(", "=", "a "]) named(`${text.repeat(148)}m\n`.repeat(2000));
  expect(performance.now() - started).toBeLessThan(5000);
});
