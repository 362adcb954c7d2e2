/**
 * Finished work of a run that may be stopped: a ledger beside the result, keyed by the hash of everything that decides a line. What an
 * earlier run finished and would come out the same is there already; the ledger goes away when the result is written whole.
 * May not know: what the work is.
 */
import { rm } from "node:fs/promises";
import type { z } from "zod";
import { openLedger } from "../util/ledger.js";

export interface Finished<Line extends { readonly key: string }> {
  get(key: string): Line | undefined;
  /** On disk when it returns. */
  add(line: Line): Promise<void>;
  /** Lines that are known under the wanted keys. */
  size(): number;
  /** Removes the ledger: the result is whole. */
  finish(): Promise<void>;
  /** Closes it; one that holds nothing is not left behind. */
  close(): Promise<void>;
}

/**
 * @param path    without: nothing is kept beyond this process
 * @param wanted  lines under other keys are left alone
 */
export async function openFinished<Line extends { readonly key: string }>(
  path: string | undefined,
  schema: z.ZodType<Line>,
  wanted: readonly string[],
  options: { readonly fresh: boolean },
): Promise<Finished<Line>> {
  if (path !== undefined && options.fresh) await rm(path, { force: true });
  const ledger = path === undefined ? undefined : await openLedger(path, (value) => schema.parse(value));
  const keys = new Set(wanted);
  const known = new Map<string, Line>();
  for (const line of ledger?.lines ?? []) if (keys.has(line.key)) known.set(line.key, line);
  let empty = ledger?.lines.length === 0;
  let open = true;
  const close = async (remove: boolean): Promise<void> => {
    if (open) await ledger?.close();
    if (open && remove && path !== undefined) await rm(path, { force: true });
    open = false;
  };
  return {
    get: (key) => known.get(key),
    size: () => known.size,
    async add(line) {
      await ledger?.append(line);
      empty = false;
      known.set(line.key, line);
    },
    finish: () => close(true),
    close: () => close(empty),
  };
}
