/** Which outputs meet: those of the same instruction, its input included. */
import { expect, it } from "vitest";
import { givenOutputs, pairUp } from "./pairs.js";

it("pairs rows by instruction and input, however either file has the input", () => {
  const baseline = givenOutputs([
    { instruction: "Translate.", input: "a carp", output: "b carp", generator: "b" },
    { instruction: "Translate.", input: "a horse", output: "b horse", generator: "b" },
    { instruction: "Sing.", input: "", output: "b la", generator: "b" },
    { instruction: "Wait.", input: null, output: "b …", generator: "b" },
  ]);
  const outputs = givenOutputs([
    { instruction: "Sing.", output: "m la", generator: "m" },
    { instruction: "Translate.\n\na horse", output: "m horse", generator: "m" },
    { instruction: "Translate.", input: "a carp", output: "m carp", generator: "m" },
    { instruction: "Translate.", output: "m nothing", generator: "m" },
  ]);
  const { pairs, onlyBaseline, onlyOutputs } = pairUp(outputs, baseline);
  expect(pairs.map(({ instruction, baseline: b, model }) => [instruction, b, model])).toEqual([
    ["Translate.\n\na carp", "b carp", "m carp"],
    ["Translate.\n\na horse", "b horse", "m horse"],
    ["Sing.", "b la", "m la"],
  ]);
  expect([onlyBaseline, onlyOutputs]).toEqual([1, 1]);
});
