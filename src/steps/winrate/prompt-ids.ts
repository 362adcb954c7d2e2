/**
 * Instructions as small numbers, the same in every file of one run. Of many only a hash is kept, so that a million long ones fit.
 * May not know: what the instructions belong to.
 */
import { hash } from "node:crypto";

export interface PromptIds {
  /** The instruction's number, a new one where it has none. */
  of(instruction: string): number;
  readonly size: number;
}

/** As many instructions are kept as they are; of those beyond, a hash. */
const TEXTS = 20_000;

/** Numbers from 0 on in the order of `known`, which need not be given. */
export function openPromptIds(known: readonly string[] = []): PromptIds {
  const texts = new Map<string, number>();
  const hashes = new Map<string, number>();
  const of = (instruction: string): number => {
    const id = texts.get(instruction);
    if (id !== undefined) return id;
    const full = texts.size >= TEXTS;
    // 72 bits: two of a million meet once in 10^10 runs
    const [ids, key] = full ? [hashes, hash("sha256", instruction, "base64").slice(0, 12)] : [texts, instruction];
    const found = ids.get(key) ?? texts.size + hashes.size;
    ids.set(key, found);
    return found;
  };
  known.forEach(of);
  return {
    of,
    get size() {
      return texts.size + hashes.size;
    },
  };
}
