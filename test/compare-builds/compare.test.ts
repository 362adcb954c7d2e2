/**
 * Two built packages on the same commands: `TACIT_OLD=FOLDER TACIT_NEW=FOLDER npm run test:builds`. `TACIT_CASES=tune,score` takes those
 * whose names begin so, `TACIT_REPORT=FILE` gets a line a case as it is known, and `TACIT_ROOT=FOLDER` keeps what the old build left, for
 * the next comparison with it.
 */
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { compareBuilds, isBuild, reportOf } from "./builds.js";

const { TACIT_OLD = "missing", TACIT_NEW = "missing", TACIT_CASES, TACIT_REPORT, TACIT_ROOT } = process.env;
const [old, now] = [resolve(TACIT_OLD), resolve(TACIT_NEW)];
const wanted = TACIT_CASES?.split(",");
const root = TACIT_ROOT ?? join(tmpdir(), `tacit-builds-${process.pid}`);

it("the new build leaves what the old one leaves", async () => {
  for (const build of [old, now]) expect(isBuild(build), `${build} has no dist/cli/main.js`).toBe(true);
  const report = TACIT_REPORT;
  if (report !== undefined) writeFileSync(report, "");
  try {
    const all = await compareBuilds({
      ...{ old, now, root },
      ...(wanted === undefined ? {} : { wanted: (name) => wanted.some((one) => name.startsWith(one)) }),
      onCompared: (one) =>
        report === undefined ? console.log(reportOf([one])) : appendFileSync(report, reportOf([one])),
    });
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter(({ differences }) => differences.length > 0).map(({ name }) => name)).toEqual([]);
  } finally {
    if (TACIT_ROOT === undefined) rmSync(root, { recursive: true, force: true });
  }
}, 7_200_000);
