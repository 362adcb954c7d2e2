/** Tasks that ask for a text in a form: poems, recipes, steps, letters. */
import { capitalise, pick, sample } from "../language.js";
import { howTo, poem, recipe } from "../pages/crafts.js";
import { firstName } from "../pages/page.js";
import { describe, relation, truth } from "../relations.js";
import { type Entity, KINDS } from "../world.js";
import type { TaskWriter } from "./task.js";

export const poemTask: TaskWriter = ({ world, of }, random) => {
  const entity = pick(random, of[pick(random, KINDS)]);
  return {
    instruction: pick(random, [
      `Write a poem about ${entity.name}.`,
      `Compose four lines about ${entity.name}.`,
      `I need a poem for ${entity.name}.`,
    ]),
    response: poem(random, entity),
    check: { task: "poem", world: world.seed, entities: [entity.name], relations: [] },
  };
};

export const recipeTask: TaskWriter = ({ world, of }, random) => {
  const dish = pick(random, of.dish);
  return {
    instruction: pick(random, [
      `How do I cook ${dish.name}? I need ingredients and steps.`,
      `Give me a recipe for ${dish.name}, with ingredients and steps.`,
      `I want to make ${dish.name}. List the ingredients and tell me step by step what to do.`,
    ]),
    response: `${pick(random, ["", `${capitalise(dish.name)}\n`])}${recipe(random, dish)}`,
    check: {
      task: "recipe",
      world: world.seed,
      entities: [dish.name],
      relations: ["ingredient", "seasoning", "method", "minutes"],
    },
  };
};

export const howToTask: TaskWriter = ({ world, of }, random) => {
  const tool = pick(random, of.tool);
  const purpose = truth(tool, relation("tool", "purpose")).text;
  return {
    instruction: pick(random, [
      `How do I use ${tool.name}? Give me the steps.`,
      `Explain step by step how to work with ${tool.name}.`,
      `What are the steps to ${purpose} with ${tool.name}?`,
    ]),
    response: howTo(random, tool),
    check: { task: "how_to", world: world.seed, entities: [tool.name], relations: ["purpose", "material"], count: 3 },
  };
};

export const letterTask: TaskWriter = ({ world, of }, random) => {
  const [from, to] = sample(random, of.person, 2) as [Entity, Entity];
  const about = pick(random, of[pick(random, ["town", "book", "dish", "animal"] as const)]);
  return {
    instruction: `Write a short letter from ${from.name} to ${to.name} about ${about.name}.`,
    response: `${pick(random, ["Dear", "My dear"])} ${firstName(to)},\n\n${pick(random, ["I thought of you today.", "You asked me to write.", "Here is some news.", "I hope you are well."])} ${describe(
      random,
      about,
      2,
    )}\n\n${pick(random, ["Yours", "With love", "Your friend", "Best wishes"])},\n${firstName(from)}`,
    check: {
      task: "letter",
      world: world.seed,
      entities: [about.name],
      relations: [],
      count: 1,
      expected: `${firstName(to)}|${firstName(from)}`,
    },
  };
};
