/** The overlap measure against the verdicts of the paper's authors on LIMA. Needs ../shared beside the checkout. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OVERLAP_QUALITY, OVERLAP_THRESHOLD } from "../../src/data/rephrase/overlap.js";
import { overlapQuality } from "../../src/data/rephrase/overlap-quality.js";
import { readVerdicts } from "../../src/data/rephrase/verdicts.js";
import { rephrase } from "../../src/steps/rephrase.js";
import { repositoryRoot } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

const lima = join(repositoryRoot, "..", "shared", "data", "lima");
const folder = temporaryFolder();

describe.skipIf(!existsSync(lima))("LIMA's verdicts", () => {
  it("agree with the overlap measure as its file says", async () => {
    const verdicts = await readVerdicts(join(lima, "lima_rephrased.jsonl"));
    const found = overlapQuality(verdicts, OVERLAP_THRESHOLD);
    expect(found).toMatchObject({ verdicts: 1083, rows: 1029, bestThreshold: OVERLAP_THRESHOLD });
    const { agreement, kappa, precision, recall } = found.crossValidated;
    expect(agreement.estimate).toBeCloseTo(OVERLAP_QUALITY.agreement, 3);
    expect(kappa.estimate).toBeCloseTo(OVERLAP_QUALITY.kappa, 3);
    expect(precision.estimate).toBeCloseTo(OVERLAP_QUALITY.precision, 3);
    expect(recall.estimate).toBeCloseTo(OVERLAP_QUALITY.recall, 3);
  });

  it("1,030 rows in are 1,030 rows out", async () => {
    const summary = await rephrase({
      data: `lima:${join(lima, "lima_data.jsonl")}`,
      out: folder.path("out.jsonl"),
      verdicts: join(lima, "lima_rephrased.jsonl"),
      method: { kind: "overlap" },
    });
    expect(summary).toMatchObject({ rows_in: 1030, rows_out: 1030, exchanges: 1084 });
    expect(summary.agreement).toMatchObject({ exchanges: 1083, absent: 0 });
    expect(summary.agreement!.measured).toMatchObject({ both_yes: 60, false_yes: 46, false_no: 40, both_no: 937 });
  });
});
