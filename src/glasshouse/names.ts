/**
 * Names that no other text holds: pronounceable, unique within a world, and of a sound of their own for every kind.
 * May not know: what is named.
 */
import type { RandomStream } from "../util/random.js";

export type NameKind = "person" | "town" | "river" | "region" | "animal" | "dish" | "tool" | "book";

interface Sound {
  readonly onsets: readonly string[];
  readonly vowels: readonly string[];
  readonly endings: readonly string[];
  /** Syllables before the ending. */
  readonly syllables: readonly number[];
}

const words = (text: string): readonly string[] => text.split(" ");

const SOUNDS: Readonly<Record<NameKind, Sound>> = {
  person: {
    onsets: words("b d f g h j k l m n p r s t v br dr tr"),
    vowels: words("a e i o u ai"),
    endings: words("n la ro mie ss ra lin to na bel d"),
    syllables: [1, 2],
  },
  town: {
    onsets: words("b d f g h k l m n p r s t w br gr st tr kl"),
    vowels: words("a e i o u ou"),
    endings: words("ford ham wick stead mouth burg dale ton field minster"),
    syllables: [1, 1, 2],
  },
  river: {
    onsets: words("l m n r s v sh w"),
    vowels: words("a e i o u ae"),
    endings: words("lle nne ra ss ve the"),
    syllables: [1, 2],
  },
  region: {
    onsets: words("b k m n s t v z"),
    vowels: words("a e i o u"),
    endings: words("nia land mark shire ria"),
    syllables: [1, 2],
  },
  animal: {
    onsets: words("b d f g k m p q r s t w z sn"),
    vowels: words("a e i o u oo ee"),
    endings: words("bit ger mot rrel dle wing tail nk puff"),
    syllables: [1, 1, 2],
  },
  dish: {
    onsets: words("b ch d f k l m p s t z"),
    vowels: words("a e i o u"),
    endings: words("lli ska tto nde pan mbo rie lash"),
    syllables: [1, 2],
  },
  tool: {
    onsets: words("b d f g k l p r s t sp cr"),
    vowels: words("a e i o u"),
    endings: words("mp cker ster dge lt ffer zzle sp"),
    syllables: [1, 1, 2],
  },
  book: { onsets: [], vowels: [], endings: [], syllables: [] }, // books have titles (world.ts)
};

/** Gives names of a kind, never the same twice, and none that differs from an earlier one only by its case. */
export function namer(random: RandomStream): (kind: Exclude<NameKind, "book">) => string {
  const used = new Set<string>();
  const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)] as T;
  const spell = ({ onsets, vowels, endings, syllables }: Sound): string => {
    const before = Array.from({ length: pick(syllables) }, () => pick(onsets) + pick(vowels)).join("");
    return before + pick(endings);
  };
  return (kind) => {
    for (;;) {
      const name = spell(SOUNDS[kind]);
      if (used.has(name)) continue;
      used.add(name);
      return kind === "animal" || kind === "dish" || kind === "tool" ? name : name[0]?.toUpperCase() + name.slice(1);
    }
  };
}
