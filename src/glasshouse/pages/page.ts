/**
 * What a page of the corpus is made from. A page is text as a web crawl would hold it; none has the tags of a template, and none pairs an
 * instruction with a response in one (`contaminated.ts` does, and is off unless asked for).
 * May not know: tokens, tasks.
 */
import type { RandomStream } from "../../util/random.js";
import { pick } from "../language.js";
import type { Relation } from "../relation-patterns.js";
import { ask, relationsOf, tell } from "../relations.js";
import type { Entity, Kind, World } from "../world.js";
import { KINDS } from "../world.js";

/** Writes one page. The same stream gives the same page. */
export type PageWriter = (world: World, random: RandomStream) => string;

export const anyEntity = (world: World, random: RandomStream): Entity => pick(random, world.entities);

export const entityOf = (world: World, random: RandomStream, kind: Kind): Entity => pick(random, world.of[kind]);

export const anyKind = (random: RandomStream): Kind => pick(random, KINDS);

export interface Fact {
  readonly entity: Entity;
  readonly relation: Relation;
}

export function anyFact(world: World, random: RandomStream): Fact {
  const entity = anyEntity(world, random);
  return { entity, relation: pick(random, relationsOf(entity)) };
}

export const question = (random: RandomStream, { entity, relation }: Fact): string => ask(random, entity, relation);
export const statement = (random: RandomStream, { entity, relation }: Fact): string => tell(random, entity, relation);

/** "Anna": people are spoken of by their first names once they are known. */
export const firstName = (person: Entity): string => person.name.split(" ")[0] ?? person.name;
