/**
 * Every fact about the entities of a split as a question with its right answer and wrong ones: what a model knows can be read off the
 * likelihood of each, without its having to answer anything.
 * May not know: models, tokens.
 */
import { randomStream } from "../util/random.js";
import { type Split, subjectsOf } from "./data-sets.js";
import { fill } from "./language.js";
import type { Relation } from "./relation-patterns.js";
import { relationsOf, tellWith, truth } from "./relations.js";
import { type Entity, KINDS, type Kind, type World } from "./world.js";

export interface FactRow {
  readonly id: string;
  readonly kind: Kind;
  readonly entity: string;
  readonly relation: string;
  readonly instruction: string;
  readonly response: string;
  /** The same sentence with values of other entities of the kind; fewer where there are not so many. */
  readonly wrong: readonly string[];
}

/** One row a fact, in the first pattern of its relation. */
export function factRows(world: World, split: Split, against = 5): FactRow[] {
  const { of } = subjectsOf(world, split);
  const entities = KINDS.flatMap((kind) => of[kind]);
  return entities.flatMap((entity) =>
    relationsOf(entity).map((which, i) => ({
      id: `${entity.name}: ${which.id}`,
      kind: entity.kind,
      entity: entity.name,
      relation: which.id,
      instruction: fill(which.ask[0] ?? "", { name: entity.name }),
      response: said(entity, which, truth(entity, which).text),
      wrong: wrongValues(world, entity, which, against, i).map((value) => said(entity, which, value)),
    })),
  );
}

function said(entity: Entity, which: Relation, text: string): string {
  const told = { ...entity, values: { ...entity.values, [which.id]: { text } } };
  return tellWith(which.tell[0] ?? "", told, which, "name");
}

function wrongValues(world: World, entity: Entity, which: Relation, count: number, index: number): string[] {
  const right = truth(entity, which).text;
  const others = [...new Set(world.of[entity.kind].map((other) => truth(other, which).text))];
  const wrong = others.filter((text) => text !== right && text !== entity.name);
  return randomStream(world.seed, `wrong values for ${entity.name}`, index).shuffle(wrong).slice(0, count);
}
