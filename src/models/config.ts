/** What the config.json of several families have in common. Fields that change the result and are not honoured are refused by name. */
import { z } from "zod";

export const positiveInt = z.number().int().positive();

/** A field that must keep the one value that is honoured, or be absent. */
export const only = <V extends string | number | boolean | null>(value: V, why = "is not honoured") =>
  z
    .unknown()
    .optional()
    .superRefine((given, context) => {
      if (given !== undefined && given !== null && given !== value) {
        context.addIssue({
          code: "custom",
          message: `${JSON.stringify(given)} ${why} (only ${JSON.stringify(value)})`,
        });
      }
    });

/** `rope_scaling` and `rope_parameters` of one rotary embedding: plain, or positions divided by a factor. */
export const ropeScaling = z
  .object({
    rope_type: z.string().optional(),
    type: z.string().optional(),
    factor: z.number().positive().optional(),
    rope_theta: z.number().positive().optional(),
  })
  .nullish()
  .superRefine((scaling, context) => {
    const kind = scaling?.rope_type ?? scaling?.type ?? "default";
    if (kind !== "default" && kind !== "linear") {
      context.addIssue({ code: "custom", message: `rope scaling "${kind}" is not honoured (only default and linear)` });
    }
  });

type RopeScaling = z.infer<typeof ropeScaling>;

export const factorOf = (scaling: RopeScaling): number =>
  (scaling?.rope_type ?? scaling?.type) === "linear" ? (scaling?.factor ?? 1) : 1;
