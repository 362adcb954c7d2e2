/**
 * What an instruction of the world is: the text, one good response, and what every good response must satisfy.
 * May not know: models, templates, how a response is scored.
 */
import { z } from "zod";
import type { RandomStream } from "../../util/random.js";
import type { Entity, Kind, World } from "../world.js";

export const TASKS = [
  "fact",
  "yes_no",
  "list",
  "count",
  "describe",
  "compare",
  "explain",
  "how_to",
  "rewrite",
  "poem",
  "recipe",
  "opinion",
  "letter",
] as const;
export type TaskName = (typeof TASKS)[number];

/** Everything the checker needs beside the world, as it stands in the prompts' file. */
export const checkSchema = z.object({
  task: z.enum(TASKS),
  /** Seed of the world that it is about. */
  world: z.int(),
  /** Names of the entities that must be spoken of. */
  entities: z.array(z.string()),
  /** Ids of the relations asked about; empty: any of the entity's. */
  relations: z.array(z.string()),
  /** The one right answer, where there is one: "Yes", a number. */
  expected: z.string().optional(),
  /** All right items, where some are asked for. */
  members: z.array(z.string()).optional(),
  /** How many facts or items are asked for. */
  count: z.int().optional(),
});
export type Check = z.infer<typeof checkSchema>;

export interface Task {
  readonly instruction: string;
  readonly response: string;
  readonly check: Check;
}

/** What tasks may speak of: the entities of one split. Facts about them may name entities of any split. */
export interface Subjects {
  readonly world: World;
  readonly of: Readonly<Record<Kind, readonly Entity[]>>;
  /** Whether a response may say of an entity that it belongs to a group: no training response tells a fact that a test asks for. */
  readonly tellsOf: (entity: Entity) => boolean;
  /** Whether the split may ask for a group ("towns whose region is Kania"): groups are split as entities are. */
  readonly asksFor: (group: string) => boolean;
}

export type TaskWriter = (subjects: Subjects, random: RandomStream) => Task;
