/**
 * A data set as plain JSON lines that any trainer reads: `{id, instruction, response}` for one turn, `{id, messages}` for a
 * dialogue. What is read back is the same examples.
 * May not know: tokens.
 */
import type { Example } from "../records/example.js";
import { openResult } from "../util/result.js";
import { type LoadOptions, type LoadReport, loadExamples, newLoadReport } from "./load.js";
import type { DataSpec } from "./spec.js";
import { responseOnly } from "./transforms.js";

export type Objective = "instruction" | "response";

export interface ExportOptions extends Pick<LoadOptions, "limit"> {
  readonly objective: Objective;
  /** `messages`: the layout of the paper's authors for every row. `auto`: see above. */
  readonly layout: "auto" | "messages";
  /** Replace a file that is there. */
  readonly force?: boolean;
  /** Aborted: nothing is written, its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Writes all rows, or no file. @throws UserError  the file already exists; as `loadExamples` */
export async function exportData(spec: DataSpec, out: string, options: ExportOptions): Promise<LoadReport> {
  const report = newLoadReport();
  await using result = await openResult({ main: out, beside: [], inputs: [spec.path], force: options.force === true });
  const lines = async function* (): AsyncGenerator<string> {
    for await (const example of loadExamples(spec, { ...options, report })) {
      const shaped = options.objective === "response" ? responseOnly(example) : example;
      options.signal?.throwIfAborted();
      yield `${JSON.stringify(exportRow(shaped, options.layout))}\n`;
    }
  };
  await result.write(out, lines());
  await result.commit();
  return report;
}

export function exportRow({ id, messages }: Example, layout: ExportOptions["layout"]): object {
  const [user, assistant] = messages;
  if (layout === "auto" && messages.length === 2 && user !== undefined && assistant !== undefined) {
    return { id, instruction: user.content, response: assistant.content };
  }
  return { id, messages };
}
