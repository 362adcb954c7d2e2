/**
 * Instructions as small numbers, the same in every file of one run. Of many only a hash is kept, so that a million long ones fit.
 * May not know: what the instructions belong to.
 */
import { hash } from "node:crypto";

export interface PromptIds {
  /** The instruction's number, a new one where it has none. */
  of(instruction: string): PromptId;
  readonly size: number;
}

export interface PromptId {
  readonly id: number;
  /** The text that has this number differs from this one, in white space, line ends or Unicode's composition alone. */
  readonly loose: boolean;
}

/** As many instructions are kept as they are; of those beyond, a hash. */
const TEXTS = 20_000;

/**
 * Numbers from 0 on in the order of `known`, which need not be given. An instruction has the number of the same text, else of the one text
 * that is the same but for white space: tools strip and rewrap instructions on their way, which makes no other instruction of them.
 */
export function openPromptIds(known: readonly string[] = []): PromptIds {
  const texts = new Map<string, number>();
  const hashes = new Map<string, number>();
  const plain = new Map<string, number>(); // by hash of the normalised text; AMBIGUOUS where known texts share it
  const numbered = (instruction: string): { readonly id: number; readonly isNew: boolean } => {
    const id = texts.get(instruction);
    if (id !== undefined) return { id, isNew: false };
    const [ids, key] = texts.size >= TEXTS ? [hashes, digest(instruction)] : [texts, instruction];
    const found = ids.get(key);
    if (found !== undefined) return { id: found, isNew: false };
    const next = texts.size + hashes.size;
    ids.set(key, next);
    return { id: next, isNew: true };
  };
  const has = (instruction: string): boolean => texts.has(instruction) || hashes.has(digest(instruction));
  for (const instruction of known) {
    const { id, isNew } = numbered(instruction);
    const key = digest(normalisedInstruction(instruction));
    if (isNew) plain.set(key, plain.has(key) ? AMBIGUOUS : id);
  }
  return {
    of(instruction) {
      if (has(instruction)) return { id: numbered(instruction).id, loose: false };
      const key = digest(normalisedInstruction(instruction));
      const found = plain.get(key);
      if (found !== undefined && found !== AMBIGUOUS) return { id: found, loose: true };
      const { id } = numbered(instruction);
      if (found === undefined) plain.set(key, id);
      return { id, loose: false };
    },
    get size() {
      return texts.size + hashes.size;
    },
  };
}

const AMBIGUOUS = -1;

/** 72 bits: two of a million meet once in 10^10 runs. */
const digest = (text: string): string => hash("sha256", text, "base64").slice(0, 12);

/**
 * White space of any kind and number as one space, none at the ends, in Unicode's composed form (NFC). Not NFKC, and not case: these change what
 * is written.
 */
export const normalisedInstruction = (text: string): string =>
  text
    .normalize("NFC")
    .replace(/[\s\u0085\u200b]+/gu, " ")
    .trim();
