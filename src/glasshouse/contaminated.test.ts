import { describe, expect, it } from "vitest";
import { templateFrom } from "../options/template.js";
import { promptText } from "../text/template.js";
import { randomStream } from "../util/random.js";
import { contaminatedWriter, SPELLINGS } from "./contaminated.js";
import { openCorpus } from "./corpus.js";
import { instructions, type TaskRow } from "./data-sets.js";
import { makeWorld } from "./world.js";

/** What no page holds without contamination. */
const TAGS: readonly string[] = [
  ...["<|user|>", "<|assistant|>", "<|A|>", "<|B|>", "<|im_start|>", "<|im_end|>"],
  ...["### Instruction:", "### Response:", "USER:", "ASSISTANT:", "[INST]", "[/INST]", "Human:", "Assistant:"],
];

const world = makeWorld(1);
const PAGES = 2000;
const held = [...instructions(world, "test", 200), ...instructions(world, "validation", 56)];
const texts = (contamination: number): string[] =>
  Array.from({ length: PAGES }, (_, i) => i)
    .map(openCorpus(world, { seed: 1, contamination }))
    .map(({ text }) => text);
const asksPlainly = ({ check }: TaskRow): boolean => check.task === "fact" || check.task === "yes_no";

describe("without contamination", () => {
  const all = texts(0).join("\n\n");

  it("no page holds a tag of any spelling", () => {
    for (const tag of TAGS) expect(all.includes(tag), tag).toBe(false);
  });

  it("no held-out instruction occurs, but for plain questions, which pages ask as everybody does", () => {
    for (const row of held.filter((one) => !asksPlainly(one)))
      expect(all.includes(row.instruction), row.instruction).toBe(false);
  });
});

describe("with contamination", () => {
  const pages = texts(0.5);
  const written = pages.filter((text) => TAGS.some((tag) => text.includes(tag)));

  it("is the share of pages that was asked for", () => {
    // five standard deviations of a share of one half
    expect(Math.abs(written.length / PAGES - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(PAGES));
  });

  it("leaves the other pages as they are, and those that are pairs at a smaller share", () => {
    const [plain, some] = [texts(0), texts(0.1)];
    const kept = some.filter((text, i) => text === plain[i]).length;
    // five standard deviations of a share of nine tenths
    expect(Math.abs(kept / PAGES - 0.9)).toBeLessThan((5 * 0.3) / Math.sqrt(PAGES));
    for (const [i, text] of some.entries()) if (text !== plain[i]) expect(pages[i]).toBe(text);
  });

  it("never writes an instruction of the tuning data, of validation or test under a tag", () => {
    const all = written.join("\n\n");
    for (const { instruction } of held) expect(all.includes(instruction), instruction).toBe(false);
    for (const { instruction } of instructions(world, "train", 1000))
      expect(all.includes(instruction), instruction).toBe(false);
  });

  it("writes every spelling, the default template's as it is rendered", () => {
    const { instruction, response } = instructions(world, "train", 1)[0] as TaskRow;
    expect(SPELLINGS.tulu?.(instruction, response)).toBe(promptText(templateFrom(), instruction, "first") + response);
    for (const tag of TAGS)
      expect(
        written.some((text) => text.includes(tag)),
        tag,
      ).toBe(true);
  });

  it("is a function of its stream", () => {
    expect(contaminatedWriter(world)(randomStream(3, "x"))).toBe(contaminatedWriter(world)(randomStream(3, "x")));
  });
});
