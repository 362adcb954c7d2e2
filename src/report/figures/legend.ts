/**
 * Names of series in columns below a figure, each beside its mark: as high as it must be, never wider than the figure.
 * May not know: what is measured.
 */
import { cut, label } from "../svg.js";

export interface Entry {
  readonly name: string;
  /** Drawn around this place. */
  readonly mark: (x: number, y: number) => string;
}

/** Pixels; of a character, about. */
const [ROW, MARK, GAP, CHARACTER] = [19, 28, 18, 7];

export function legend(
  entries: readonly Entry[],
  { left, right, top }: { readonly left: number; readonly right: number; readonly top: number },
): { readonly height: number; readonly content: readonly string[] } {
  const longest = Math.floor((right - left - MARK - GAP) / CHARACTER);
  const names = entries.map(({ name }) => cut(name, longest));
  const width = MARK + GAP + CHARACTER * Math.max(1, ...names.map((name) => name.length));
  const columns = Math.max(1, Math.floor((right - left) / width));
  const content = entries.map(({ mark }, i) => {
    const [x, y] = [left + width * (i % columns), top + ROW * (Math.floor(i / columns) + 0.5)];
    return mark(x + MARK / 2 - 2, y) + label(x + MARK + 2, y + 4, names[i] ?? "");
  });
  return { height: ROW * Math.ceil(entries.length / columns), content };
}
