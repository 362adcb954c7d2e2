/**
 * Reads statements back: which facts does a text claim of an entity, and are they so? Exact, because everything that the world says is
 * said in the patterns of `relations.ts`.
 * May not know: tasks, scores.
 */
import { type Relation, relationsOf, truth } from "./relations.js";
import type { Entity, World } from "./world.js";

export interface Claim {
  readonly relation: string;
  readonly value: string;
  readonly right: boolean;
}

/** Claims of `text` about `entity`, each relation and value once, in their order. */
export function claimsAbout(world: World, text: string, entity: Entity): Claim[] {
  const patterns = patternsOf(entity);
  const found = new Map<string, Claim>();
  let spokenOf = false; // a pronoun counts once the entity was named
  for (const clause of clauses(text)) {
    const named = mentions(clause, entity.name);
    if (!named && !spokenOf) continue;
    spokenOf = named || !namesAnother(world, clause, entity);
    if (!spokenOf) continue;
    for (const claim of claimsOf(world, clause, entity, patterns)) {
      const key = `${claim.relation}\n${normal(claim.value)}`;
      if (!found.has(key)) found.set(key, claim);
    }
  }
  return [...found.values()];
}

/** The subject is somebody else of the world: what follows is not about this entity. Entities named as values come later in a clause. */
const namesAnother = (world: World, clause: string, { name }: Entity): boolean =>
  world.entities.some((other) => other.name !== name && normal(clause).startsWith(normal(other.name)));

/**
 * Several patterns can read one clause ("is {value}" reads nearly all of them). Where the value is one that the relation can have, it is
 * a claim; where no reading gives such a value, the pattern with words of its own claims something that is nowhere so.
 */
function claimsOf(world: World, clause: string, entity: Entity, patterns: readonly Pattern[]): Claim[] {
  const readings = patterns.flatMap(({ relation, expression, generic }) => {
    const value = expression.exec(clause)?.groups?.value;
    if (value === undefined) return [];
    const right = normal(value) === normal(truth(entity, relation).text);
    return [{ relation: relation.id, value, right, generic, known: isValueOf(world, entity, relation, value) }];
  });
  const known = readings.filter((reading) => reading.known);
  const counted = known.length > 0 ? known : readings.filter(({ generic }) => !generic);
  const right = counted.filter((reading) => reading.right);
  return (right.length > 0 ? right : counted.slice(0, 1)).map(({ relation, value, right: so }) => ({
    relation,
    value,
    right: so,
  }));
}

function isValueOf(world: World, { kind }: Entity, relation: Relation, value: string): boolean {
  return (
    world.of[kind].some((entity) => normal(truth(entity, relation).text) === normal(value)) ||
    (/^[0-9]+$/.test(value) && world.of[kind].some((entity) => /^[0-9]+$/.test(truth(entity, relation).text)))
  );
}

/** Sentences, and the halves of those that say two things. */
export const clauses = (text: string): string[] =>
  text
    .split(/(?<=[.!?])\s+|\n+|, (?:while|but|and) |: |\bAlso, /)
    .map((clause) =>
      clause
        .trim()
        .replace(/[.!]+$/, "")
        .replace(/^(it is known that|people say that|as far as i know,) /i, ""),
    )
    .filter((clause) => clause !== "");

export const normal = (text: string): string => text.toLowerCase().replace(/\s+/g, " ").trim();

/** Whole words only, in any case. */
export const mentions = (text: string, name: string): boolean =>
  new RegExp(`(?<![\\p{L}\\p{N}])${escaped(normal(name))}(?![\\p{L}\\p{N}])`, "u").test(normal(text));

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

interface Pattern {
  readonly relation: Relation;
  readonly expression: RegExp;
  /** It has no words of its own but "is". */
  readonly generic: boolean;
}

function patternsOf(entity: Entity): Pattern[] {
  const name = escaped(entity.name);
  const slots: Readonly<Record<string, string>> = {
    name: `(?:${name}|it)`,
    subject: `(?:${name}|he|she|it)`,
    possessive: `(?:${name}'s|his|her|its)`,
    value: "(?<value>[^,;]+?)",
  };
  return relationsOf(entity).flatMap((relation) =>
    relation.tell.map((pattern): Pattern => {
      const source = pattern
        .replace(/\.$/, "")
        .split(/(\{[^}]*\})/)
        .map((part) => {
          const slot = /^\{(?:(a) )?(\w+)\}$/.exec(part);
          if (slot === null) return escaped(part);
          return (slot[1] === undefined ? "" : "(?:an? )") + (slots[slot[2]?.toLowerCase() ?? ""] ?? "");
        })
        .join("");
      const words = pattern
        .replace(/\{[^}]*\}/g, " ")
        .replace(/[^a-z ]/gi, " ")
        .trim();
      return { relation, expression: new RegExp(`^${source}$`, "i"), generic: words === "" || words === "is" };
    }),
  );
}
