import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Answer, countAnswers, echoes } from "./answers.js";

const answer = (output: string, stop: Answer["stop"] = "eos", tokens = 3): Answer => ({
  instruction: "What is\na dog?",
  output,
  tokens,
  stop,
});

describe("countAnswers", () => {
  it("counts each property apart", () => {
    const answers = [
      answer("An animal.", "eos", 2),
      answer("what is a  DOG?\n<|assistant|>\nWhat is a dog?", "length", 10),
      answer(" ", "eos", 0),
    ];
    expect(countAnswers(answers, ["<|user|>", "<|assistant|>"])).toEqual({
      answers: 3,
      stopped: 2,
      echoes: 1,
      tags: 1,
      empty: 1,
      meanTokens: 4,
    });
  });

  it("has no mean of nothing", () => {
    expect(countAnswers([], []).meanTokens).toBeUndefined();
  });
});

describe("echoes", () => {
  it("finds an instruction anywhere in an answer, and never an empty one", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (instruction, before, after) => {
        fc.pre(instruction.trim() !== "");
        expect(echoes(instruction, `${before} ${instruction} ${after}`)).toBe(true);
        expect(echoes(" \n", before)).toBe(false);
      }),
    );
  });
});
