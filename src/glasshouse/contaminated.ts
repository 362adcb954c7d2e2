/**
 * Pages that the corpus holds only where `contamination` asks for them: a pair of instruction and response under the tags of a chat
 * template, as web crawls hold them. Instructions are of the training split alone: none of validation or test is ever written.
 * May not know: pages of other kinds, tokens.
 */
import { templateFrom } from "../options/template.js";
import { promptText } from "../text/template.js";
import type { RandomStream } from "../util/random.js";
import { ROWS } from "./data-files.js";
import { instructions } from "./data-sets.js";
import { pick } from "./language.js";
import type { World } from "./world.js";

type Spelling = (instruction: string, response: string) => string;

const paper = (userTag?: string, assistantTag?: string): Spelling => {
  const tags = {
    ...(userTag === undefined ? {} : { userTag }),
    ...(assistantTag === undefined ? {} : { assistantTag }),
  };
  return (instruction, response) => promptText(templateFrom(tags), instruction, "first") + response;
};

/** Every spelling that is written, in equal shares; `tulu` is the one that Tacit renders by default. */
export const SPELLINGS: Readonly<Record<string, Spelling>> = {
  tulu: paper(),
  "other-tags": paper("<|A|>", "<|B|>"), // paper, appendix B
  chatml: (instruction, response) =>
    `<|im_start|>user\n${instruction}<|im_end|>\n<|im_start|>assistant\n${response}<|im_end|>`,
  alpaca: (instruction, response) => `### Instruction:\n${instruction}\n\n### Response:\n${response}`,
  vicuna: (instruction, response) => `USER: ${instruction} ASSISTANT: ${response}`,
  "llama-2": (instruction, response) => `[INST] ${instruction} [/INST] ${response}`,
  human: (instruction, response) => `Human: ${instruction}\n\nAssistant: ${response}`,
};

/** Pairs that pages are made of: drawn as those of the data set are, but for those that it has itself. */
const PAIRS = 4000;
/** Apart from the seeds of data sets. */
const PAIRS_SEED = 1_000_003;

/** Writes such a page. The same stream gives the same page. */
export function contaminatedWriter(world: World): (random: RandomStream) => string {
  const tuned = new Set(instructions(world, "train", ROWS.instructions).map(({ instruction }) => instruction));
  const drawn = instructions(world, "train", PAIRS, world.seed + PAIRS_SEED);
  const pairs = drawn.filter(({ instruction }) => !tuned.has(instruction));
  const spellings = Object.values(SPELLINGS);
  return (random) => {
    const { instruction, response } = pick(random, pairs);
    return pick(random, spellings)(instruction, response);
  };
}
