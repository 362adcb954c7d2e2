/**
 * The world: a few hundred entities of six kinds with attributes that hang together, all from one seed. A person lives in a town of
 * the world, a book is by a person of the world, and what is true of an entity is written down once, here.
 * May not know: how anything of it is said.
 */
import { present } from "../util/errors.js";
import { type RandomStream, randomStream } from "../util/random.js";
import { capitalise, chance, pick } from "./language.js";
import { namer } from "./names.js";

export type Kind = "person" | "town" | "animal" | "dish" | "tool" | "book";
export const KINDS: readonly Kind[] = ["person", "town", "animal", "dish", "tool", "book"];

/** What is true: a word or a few, and the entity that they name, where they name one. */
export interface Value {
  readonly text: string;
  readonly entity?: Entity;
}

export interface Entity {
  readonly kind: Kind;
  /** As it stands in a sentence: "Trola Minbel", "Brouford", "the snagger", "The Quiet Lantern". */
  readonly name: string;
  /** "he", "she" or "it". */
  readonly pronoun: Pronoun;
  /** By the id of the relation (`relations.ts`). */
  readonly values: Readonly<Record<string, Value>>;
}

export type Pronoun = "he" | "she" | "it";

export interface World {
  readonly seed: number;
  readonly entities: readonly Entity[];
  readonly of: Readonly<Record<Kind, readonly Entity[]>>;
}

const COUNTS: Readonly<Record<Kind, number>> = { person: 90, town: 50, animal: 50, dish: 50, tool: 40, book: 40 };

const words = (text: string): readonly string[] => text.split(", ");

/** Closed lists that attributes are drawn from. Their words are ordinary English, so that pages read like English. */
export const LISTS = {
  jobs: words(
    "baker, smith, doctor, teacher, sailor, painter, farmer, judge, miller, weaver, potter, tailor, carpenter, gardener, fisher, cook, printer, shepherd, barber, mason",
  ),
  hobbies: words(
    "chess, fishing, singing, running, reading, dancing, drawing, climbing, swimming, sewing, rowing, walking in the hills, playing the flute, collecting stamps, growing roses, telling stories",
  ),
  colours: words("red, blue, green, white, black, yellow, grey, brown, orange, purple"),
  pets: words("cat, dog, horse, goat, owl, fox, rabbit, parrot, pony, tortoise"),
  products: words(
    "bread, cheese, honey, apples, salt, fish, tea, wool, plums, olives, pepper, rice, glass, paper, candles, carpets, bells, clocks, shoes, silk",
  ),
  landmarks: words(
    "stone bridge, round tower, old market, white lighthouse, great library, blue gate, tall windmill, rose garden, clock house, deep well, iron pier, sunken theatre",
  ),
  creatures: words("bird, fish, lizard, beetle, frog, mouse, bat, snail"),
  homes: words(
    "in hollow trees, under flat stones, in cold streams, in dry sand, on high cliffs, in old barns, in reed beds, in pine woods, in caves, in salt marshes",
  ),
  foods: words(
    "seeds, berries, moss, worms, mushrooms, nuts, flies, grass, roots, small crabs, honeydew, fallen fruit",
  ),
  habits: words(
    "sleeps by day, sings at dawn, hides when it rains, digs long tunnels, changes colour in winter, carries its young on its back, builds round nests, whistles at night, hunts in pairs, stores food for the winter",
  ),
  sizes: words(
    "as small as a thumb, as long as a spoon, as big as a cat, as tall as a chair, as heavy as a brick, as light as a leaf",
  ),
  ingredients: words(
    "rice, lentils, pumpkin, potatoes, beans, eggs, barley, cabbage, carrots, fish, mushrooms, goat cheese, spinach, apples, onions, turnips",
  ),
  seasonings: words("garlic, honey, lemon, pepper, mint, butter, ginger, mustard, sage, vinegar, cinnamon, dill"),
  methods: words("baked, fried, boiled, grilled, steamed, roasted, stewed, smoked"),
  tastes: words("sweet, sour, salty, bitter, hot, mild, smoky, sharp"),
  purposes: words(
    "cut reeds, bend wire, open shells, measure grain, smooth wood, mend nets, split stones, press flowers, polish glass, lift roof tiles, sharpen knives, carve spoons, draw circles, dig wells, shear sheep, stir paint",
  ),
  materials: words("iron, oak, copper, bone, brass, ash wood, steel, bronze, horn, willow"),
  genres: words("novel, comedy, travel book, history, mystery, fairy tale, textbook, romance"),
  subjects: words(
    "a lost ring, a long winter, two brothers, a flooded village, a talking fox, the price of salt, a stolen bell, the stars, an honest thief, a journey by boat, the art of cooking, a haunted mill, a war of bees, a wise child",
  ),
  adjectives: words(
    "quiet, golden, broken, hidden, last, silver, burning, empty, patient, distant, crooked, second, blue, secret",
  ),
  things: words(
    "lantern, river, key, orchard, mirror, harbour, letter, garden, bell, mountain, window, feather, road, clock",
  ),
} as const;

/** @param seed  worlds of different seeds share their words, and neither names nor facts */
export function makeWorld(seed: number): World {
  const random = randomStream(seed, "world");
  const name = namer(randomStream(seed, "names"));
  const drafts = draw(random, name);
  connect(random, drafts);
  const entities = KINDS.flatMap((kind) => drafts[kind]);
  return { seed, entities, of: drafts };
}

interface Draft extends Entity {
  readonly values: Record<string, Value>;
}
type Drafts = Record<Kind, Draft[]>;

const plain = (text: string | number): Value => ({ text: String(text) });

/** Everything about an entity but what ties it to another. */
function draw(random: RandomStream, name: ReturnType<typeof namer>): Drafts {
  const one = (list: keyof typeof LISTS): Value => plain(pick(random, LISTS[list]));
  const number = (from: number, to: number): Value => plain(from + random.integer(to - from + 1));
  const regions = Array.from({ length: 10 }, () => name("region"));
  const rivers = Array.from({ length: 18 }, () => name("river"));
  const families = Array.from({ length: 30 }, () => name("person"));
  const titles = random.shuffle(
    LISTS.adjectives.flatMap((a) => LISTS.things.map((t) => `The ${capitalise(a)} ${capitalise(t)}`)),
  );
  const make: Readonly<Record<Kind, (i: number) => Draft>> = {
    person: () => ({
      kind: "person",
      name: `${name("person")} ${pick(random, families)}`,
      pronoun: chance(random, 0.5) ? "she" : "he",
      values: {
        job: one("jobs"),
        hobby: one("hobbies"),
        pet: plain(`${pick(random, LISTS.colours)} ${pick(random, LISTS.pets)}`),
        age: number(20, 79),
      },
    }),
    town: () => ({
      kind: "town",
      name: name("town"),
      pronoun: "it",
      values: {
        region: plain(pick(random, regions)),
        river: plain(pick(random, rivers)),
        product: one("products"),
        landmark: one("landmarks"),
        founded: number(310, 990),
      },
    }),
    animal: () => ({
      kind: "animal",
      name: `the ${name("animal")}`,
      pronoun: "it",
      values: {
        creature: one("creatures"),
        colour: one("colours"),
        food: one("foods"),
        home: one("homes"),
        habit: one("habits"),
        size: one("sizes"),
      },
    }),
    dish: () => ({
      kind: "dish",
      name: name("dish"),
      pronoun: "it",
      values: {
        ingredient: one("ingredients"),
        seasoning: one("seasonings"),
        method: one("methods"),
        taste: one("tastes"),
        minutes: plain(5 * (2 + random.integer(17))),
      },
    }),
    tool: () => ({
      kind: "tool",
      name: `the ${name("tool")}`,
      pronoun: "it",
      values: { purpose: one("purposes"), material: one("materials"), worker: one("jobs"), price: number(2, 60) },
    }),
    book: (i) => ({
      kind: "book",
      name: present(titles[i], "title"),
      pronoun: "it",
      values: { genre: one("genres"), subject: one("subjects"), year: number(1010, 1390), chapters: number(5, 40) },
    }),
  };
  const all = (kind: Kind): Draft[] => Array.from({ length: COUNTS[kind] }, (_, i) => make[kind](i));
  return {
    person: all("person"),
    town: all("town"),
    animal: all("animal"),
    dish: all("dish"),
    tool: all("tool"),
    book: all("book"),
  };
}

/** Relations between entities. A friend is never the person itself. */
function connect(random: RandomStream, { person, town, animal, dish, book }: Drafts): void {
  const named = (entities: readonly Entity[]): Value => {
    const entity = pick(random, entities);
    return { text: entity.name, entity };
  };
  for (const one of person) {
    one.values.home = named(town);
    one.values.dish = named(dish);
    one.values.friend = named(person.filter((other) => other !== one));
  }
  for (const one of town) one.values.mayor = named(person);
  for (const one of animal) one.values.region = plain(present(pick(random, town).values.region, "region").text);
  for (const one of dish) one.values.origin = named(town);
  for (const one of book) one.values.author = named(person);
}
