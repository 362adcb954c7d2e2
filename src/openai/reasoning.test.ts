/** Where a model reasons and where it replies. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { withoutReasoning } from "./reasoning.js";

it.each([
  ["m", "m"],
  ["<think>M looks good.</think>\n\nm", "m"],
  ["<thinking>a</thinking><reflection>b</reflection>\nm", "m"],
  ["m <reasoning lang='en'>M</reasoning>", "m"],
  ["M looks good.</think>\n\nm", "m"], // the chat template has opened it
  ["<THINK>M</Think>m", "m"],
  ["[THINK]M[/THINK]m", "m"],
  ["◁think▷M◁/think▷m", "m"],
  ["<|begin_of_thought|>M<|end_of_thought|>m", "m"],
  ["<|channel|>analysis<|message|>M<|end|><|start|>assistant<|channel|>final<|message|>m", "m"],
  ["<think>a<think>b</think>c</think>m", "m"],
  ["<think>an <analysis> of M</think>m", "m"],
  ["<think></think>", ""],
  ["it thinks <thinker>m</thinker>", "it thinks <thinker>m</thinker>"],
])("%j replies %j", (text, reply) => {
  expect(withoutReasoning(text)).toBe(reply);
});

it.each(["<think>M", "m\n<think>but M", "<think>a</reflection>\nM", "<|channel|>analysis<|message|>M"])(
  "nobody knows what %j would have replied",
  (text) => {
    expect(withoutReasoning(text)).toBeUndefined();
  },
);

it("nothing of what is reasoned is in a reply", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "m", " ", "\n", "<", ">") });
  fc.assert(
    fc.property(text, fc.constantFrom("think", "reasoning", "reflection"), text, (reasoned, tag, said) => {
      expect(withoutReasoning(`<${tag}>${reasoned}</${tag}>${said}`)).toBe(said.trim());
      expect(withoutReasoning(`${reasoned}</${tag}>${said}`)).toBe(said.trim());
    }),
  );
});
