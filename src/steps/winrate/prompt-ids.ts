/**
 * Instructions as small numbers, the same in every file of one run. Only a hash of each is kept, so that a million long ones fit.
 * May not know: what the instructions belong to.
 */
import { hash } from "node:crypto";

export interface PromptIds {
  /** The instruction's number, a new one where it has none. */
  of(instruction: string): number;
  readonly size: number;
}

/** Numbers from 0 on in the order of `known`, which need not be given. */
export function openPromptIds(known: readonly string[] = []): PromptIds {
  const ids = new Map<string, number>();
  const of = (instruction: string): number => {
    const key = hash("sha256", instruction, "base64").slice(0, 12); // 72 bits: two of a million meet once in 10^10 runs
    const id = ids.get(key) ?? ids.size;
    ids.set(key, id);
    return id;
  };
  known.forEach(of);
  return {
    of,
    get size() {
      return ids.size;
    },
  };
}
