/**
 * How records name the model that was run.
 * May not know: models.
 */
import { z } from "zod";

export const recordedModelSchema = z.object({
  path: z.string(),
  /** Of the files that decide what it says. */
  hash: z.string(),
  /** Where its weights hold in place of what its configuration says, a sentence each; absent where there is nothing to say. */
  notes: z.array(z.string()).optional(),
});
export type RecordedModel = z.infer<typeof recordedModelSchema>;
