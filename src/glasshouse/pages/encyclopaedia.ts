/** Pages that tell what is so: articles, lists, reviews. */
import type { RandomStream } from "../../util/random.js";
import { capitalise, chance, enumerate, numberWord, pick, plural, sample } from "../language.js";
import { describe, relation, relationsOf, tell, tellWith, truth } from "../relations.js";
import type { Entity, Kind, World } from "../world.js";
import { anyEntity, anyKind, entityOf, type PageWriter } from "./page.js";

export const article: PageWriter = (world, random) => {
  const entity = anyEntity(world, random);
  const body = describe(random, entity, 3 + random.integer(5));
  const linked = Object.values(entity.values).flatMap((value) => (value.entity === undefined ? [] : [value.entity]));
  const more = linked.length > 0 && chance(random, 0.5) ? `\n\n${describe(random, pick(random, linked), 2)}` : "";
  return pick(random, [
    `${capitalise(entity.name)}\n\n${body}${more}`,
    `${body}${more}`,
    `${pick(random, [`About ${entity.name}`, `What is known of ${entity.name}`, `${capitalise(entity.name)}: a short description`])}\n${body}${more}`,
    `== ${capitalise(entity.name)} ==\n${body}${more}\n\nSee also: ${enumerate(sample(random, world.of[entity.kind], 3).map(({ name }) => name))}`,
    `From the lexicon. ${body}${more}`,
  ]);
};

const GROUP: Readonly<Record<Kind, { readonly noun: string; readonly shared: readonly string[] }>> = {
  person: { noun: "people", shared: ["job", "home", "hobby"] },
  town: { noun: "towns", shared: ["region", "river", "product"] },
  animal: { noun: "animals", shared: ["creature", "colour", "home", "food"] },
  dish: { noun: "dishes", shared: ["ingredient", "method", "taste", "seasoning"] },
  tool: { noun: "tools", shared: ["worker", "material"] },
  book: { noun: "books", shared: ["genre", "subject", "author"] },
};

/** "Towns in Kania", with what is true of all of them. */
export interface SharedGroup {
  readonly kind: Kind;
  readonly relationId: string;
  readonly value: string;
  readonly members: readonly Entity[];
  /** "towns whose region is Kania" */
  readonly title: string;
}

export function sharedGroup(world: World, random: RandomStream, kind = anyKind(random)): SharedGroup {
  const { noun, shared } = GROUP[kind];
  const relationId = pick(random, shared);
  const which = relation(kind, relationId);
  const value = truth(entityOf(world, random, kind), which).text;
  const members = world.of[kind].filter((entity) => truth(entity, which).text === value);
  return { kind, relationId, value, members, title: `${noun} whose ${which.noun} is ${value}` };
}

export const list: PageWriter = (world, random) => {
  const { title, members, kind } = sharedGroup(world, random);
  const items = random.shuffle(members).slice(0, 6);
  const bullet = pick(random, ["- ", "* ", "", "1"]);
  const lines = items.map(({ name }, i) => `${bullet === "1" ? `${i + 1}. ` : bullet}${capitalise(name)}`);
  const heading = pick(random, [
    `List of ${title}`,
    capitalise(title),
    `${capitalise(numberWord(items.length))} of the ${title}`,
    `Some ${title} (of ${numberWord(members.length)} in all)`,
  ]);
  const after = chance(random, 0.3) ? `\n\n${describe(random, pick(random, members), 2)}` : "";
  return `${heading}\n${lines.join("\n")}${after}${kind === "book" && chance(random, 0.2) ? "\nEnd of the catalogue." : ""}`;
};

const PRAISE = [
  "I liked it very much.",
  "I would go back for it.",
  "It is better than people say.",
  "Nothing else comes close.",
];
const BLAME = ["I was not impressed.", "It was dull.", "I expected more.", "Once is enough for me."];

export const review: PageWriter = (world, random) => {
  const entity = entityOf(world, random, pick(random, ["book", "dish", "tool", "town"] as const));
  const stars = 1 + random.integer(5);
  const verdict = pick(random, stars > 3 ? PRAISE : BLAME);
  const facts = describe(random, entity, 1 + random.integer(3));
  const reviewer = entityOf(world, random, "person").name;
  return pick(random, [
    `${capitalise(entity.name)}: ${numberWord(stars)} stars\n${facts} ${verdict}\n${reviewer}`,
    `Review by ${reviewer}\n${"*".repeat(stars)}\n${verdict} ${facts}`,
    `What I thought of ${entity.name}. ${facts} ${verdict}`,
    `Worth it or not? ${capitalise(entity.name)}\n${verdict} ${facts}`,
  ]);
};

/** Two entities of a kind side by side. */
export const comparison: PageWriter = (world, random) => {
  const kind = anyKind(random);
  const [one, other] = sample(random, world.of[kind], 2) as [Entity, Entity];
  const heading = pick(random, [
    "",
    `${capitalise(one.name)} and ${other.name} compared\n`,
    `How ${one.name} is not like ${other.name}\n`,
  ]);
  return heading + compare(random, one, other, 2 + random.integer(2));
};

/** The same said twice. */
export const rewording: PageWriter = (world, random) => {
  const marks = pick(random, ["In other words: ", "Put otherwise: ", "To say it again: ", "That is: "]);
  return Array.from({ length: 1 + random.integer(3) }, () => {
    const entity = anyEntity(world, random);
    const which = pick(random, relationsOf(entity));
    const [first, second] = sample(random, which.tell, 2);
    if (first === undefined || second === undefined) return tell(random, entity, which);
    return `${tellWith(first, entity, which, "name")} ${marks}${tellWith(second, entity, which, "name")}`;
  }).join("\n");
};

/** "Brouford lies in Kania, while Tadale lies in Zomark." */
export function compare(random: RandomStream, one: Entity, other: Entity, count: number): string {
  const differing = Object.keys(one.values).filter((id) => one.values[id]?.text !== other.values[id]?.text);
  const opening = pick(random, [
    `${capitalise(one.name)} and ${other.name} are not alike.`,
    `${capitalise(one.name)} and ${other.name} have little in common.`,
    `Here are ${one.name} and ${other.name} side by side.`,
  ]);
  const lines = sample(random, differing, count).map((id) => {
    const which = relation(one.kind, id);
    const [first, second] = [tell(random, one, which), tell(random, other, which)].map((text) =>
      text.replace(/\.$/, ""),
    );
    const lower = keepsCapital(other, second ?? "") ? second : `${second?.[0]?.toLowerCase()}${second?.slice(1)}`;
    return `${first}, ${pick(random, ["while", "but", "and"])} ${lower}.`;
  });
  return `${opening} ${lines.join(" ")}`;
}

const keepsCapital = (entity: Entity, text: string): boolean => text.startsWith(entity.name);

export const catalogue: PageWriter = (world, random) => {
  const kind = pick(random, ["tool", "book", "dish"] as const);
  const items = sample(random, world.of[kind], 3 + random.integer(4));
  return `${pick(random, ["Catalogue", "Price list", "New arrivals", "Inventory"])} of ${plural(kind)}\n${items
    .map(
      (item) =>
        `${capitalise(item.name)} | ${Object.values(item.values)
          .slice(0, 3)
          .map(({ text }) => text)
          .join(" | ")}`,
    )
    .join("\n")}`;
};
