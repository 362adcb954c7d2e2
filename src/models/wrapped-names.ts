/**
 * Tensors whose names carry what a wrapper put there: torch.compile (`_orig_mod.`), data parallelism (`module.`), sharding, or the larger
 * model that this one was a part of (`language_model.`). The rest of such a name is the published one.
 * May not know: families.
 */
import { quoted, shorten } from "../util/terminal.js";
import type { PiecewiseStore } from "../weights/weight-store.js";

/** A tensor's name in a message. */
export const shown = (name: string): string => quoted(shorten(name, 120));

/** Parts that PyTorch's wrappers put anywhere into a name. */
const WRAPPERS = /(^|\.)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g;
const withoutWrappers = (name: string): string => name.replace(WRAPPERS, "").replace(/^\./, "");

/**
 * The weights under names that `fits` accepts: as they are, else without the parts of wrappers, else without a beginning that all have in
 * common (an output matrix may stand outside it). Where nothing fits, as they are.
 */
export function unwrapped(
  weights: PiecewiseStore,
  fits: (names: readonly string[]) => boolean,
): { readonly store: PiecewiseStore; readonly note?: string } {
  const stored = [...weights.tensors.keys()];
  if (fits(stored)) return { store: weights };
  const plain = stored.map(withoutWrappers);
  for (const prefix of ["", ...commonBeginnings(plain)]) {
    const names = plain.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
    if (new Set(names).size < names.length || !fits(names)) continue;
    const from = stored.find((name, i) => name !== names[i]) ?? "";
    const to = names[stored.indexOf(from)] ?? "";
    return {
      store: renamed(weights, new Map(names.map((name, i) => [name, stored[i] ?? ""]))),
      note: `tensors are read without what a wrapper put into their names: ${shown(from)} as ${shown(to)}`,
    };
  }
  return { store: weights };
}

/** Whole parts that all names but those of an output matrix begin with: `a.` and `a.b.`. */
function commonBeginnings(names: readonly string[]): string[] {
  const inner = names.filter((name) => !/^(lm_head|embed_out)\.weight$/.test(name));
  const [first = ""] = inner;
  const parts = first.split(".").slice(0, -1);
  return parts
    .map((_, i) => `${parts.slice(0, i + 1).join(".")}.`)
    .filter((prefix) => inner.every((name) => name.startsWith(prefix)));
}

function renamed(weights: PiecewiseStore, storedNames: ReadonlyMap<string, string>): PiecewiseStore {
  const tensors = new Map(
    [...storedNames].flatMap(([name, stored]) => {
      const info = weights.tensors.get(stored);
      return info === undefined ? [] : [[name, { ...info, name }] as const];
    }),
  );
  const place = (name: string): string => storedNames.get(name) ?? name;
  return {
    name: weights.name,
    tensors,
    read: (name) => weights.read(place(name)),
    pieces: (name) => weights.pieces(place(name)),
    close: () => weights.close(),
  };
}
