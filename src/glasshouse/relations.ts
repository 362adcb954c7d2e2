/**
 * Asks and says things about an entity by the patterns of its relations.
 * May not know: pages, tasks.
 */
import { invariant, present } from "../util/errors.js";
import type { RandomStream } from "../util/random.js";
import { fill, pick } from "./language.js";
import { RELATIONS, type Relation } from "./relation-patterns.js";
import type { Entity, Kind, Value } from "./world.js";

export const relationsOf = (entity: Entity): readonly Relation[] => RELATIONS[entity.kind];

export const relation = (kind: Kind, id: string): Relation =>
  present(
    RELATIONS[kind].find((one) => one.id === id),
    `${kind}.${id}`,
  );

export const truth = (entity: Entity, { id }: Relation): Value => present(entity.values[id], `${entity.name}: ${id}`);

const POSSESSIVE = { he: "his", she: "her", it: "its" } as const;

/** A statement with the name in it, or with the pronoun where the name was just said. */
export function tell(
  random: RandomStream,
  entity: Entity,
  which: Relation,
  subject: "name" | "pronoun" = "name",
): string {
  return tellWith(pick(random, subject === "name" ? named(which) : which.tell), entity, which, subject);
}

/** Patterns that name the entity: others only make sense after one that does. */
const named = ({ id, tell: patterns }: Relation): readonly string[] => {
  const those = patterns.filter((pattern) => /\{(name|[Ss]ubject|[Pp]ossessive)\}/.test(pattern));
  invariant(those.length > 0, `${id}: no pattern names its entity`);
  return those;
};

export function tellWith(pattern: string, entity: Entity, which: Relation, subject: "name" | "pronoun"): string {
  const { text: value } = truth(entity, which);
  const { name, pronoun } = entity;
  const values =
    subject === "name"
      ? { name, subject: name, possessive: `${name}'s`, value }
      : { name, subject: pronoun, possessive: POSSESSIVE[pronoun], value };
  return fill(pattern, values);
}

export const ask = (random: RandomStream, entity: Entity, which: Relation): string =>
  fill(pick(random, which.ask), { name: entity.name });

/** Is `value` true of the entity? */
export const verify = (entity: Entity, which: Relation, value: string): string =>
  fill(which.verify, { name: entity.name, value });

/** A value that is true of another entity of the kind and not of this one. */
export function wrongValue(random: RandomStream, entity: Entity, which: Relation, among: readonly Entity[]): string {
  const right = truth(entity, which).text;
  const others = [...new Set(among.map((other) => truth(other, which).text))].filter((text) => text !== right);
  return pick(random, others);
}

/** Two to all statements about an entity, the first with its name, most of the others with its pronoun. */
export function describe(random: RandomStream, entity: Entity, count: number): string {
  const chosen = random.shuffle(relationsOf(entity)).slice(0, count);
  return chosen
    .map((which, i) => tell(random, entity, which, i === 0 || random.uniform() < 0.2 ? "name" : "pronoun"))
    .join(" ");
}
