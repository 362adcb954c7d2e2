/** The schema of an event: a line of `events.jsonl`, and of what `--events` prints. */
import { z } from "zod";
import { type Standing, type StepEvent, units } from "./events.js";

const count = z.number().int().nonnegative();
/** Every number that a step can tell: one that is missing here does not compile. */
const standing = {
  done: count,
  tokens: count.optional(),
  loss: z.number().optional(),
  epoch: count.optional(),
  repeated: count.optional(),
  dollars: z.number().nonnegative().optional(),
} satisfies { readonly [K in keyof Required<Standing>]: z.ZodType };
const stamp = { time: z.iso.datetime(), step: z.string().min(1) };

export const eventLineSchema = z.discriminatedUnion("event", [
  z.strictObject({
    ...stamp,
    event: z.literal("begin"),
    total: count,
    unit: z.enum(units),
    reused: count,
  }),
  z.strictObject({ ...stamp, event: z.literal("progress"), ...standing }),
  z.strictObject({ ...stamp, event: z.enum(["note", "warning"]), text: z.string() }),
  z.strictObject({
    ...stamp,
    event: z.literal("end"),
    outcome: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("done") }),
      z.strictObject({ kind: z.literal("interrupted") }),
      z.strictObject({
        kind: z.literal("failed"),
        reason: z.string(),
        remedy: z.string().nullable(),
        defect: z.boolean(),
      }),
    ]),
  }),
]);

/** @throws what the schema finds */
export const readEvent = (value: unknown): StepEvent => eventLineSchema.parse(value);
