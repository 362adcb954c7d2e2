/** `tacit judge` on as many pairs as AlpacaEval has, killed at twenty moments. Needs no data: it stands here for its length. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { killAndGoOn, openJudgeProcesses } from "../judge-processes.js";
import { type StagedPackage, stagePackage } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 240_000 });

const folder = temporaryFolder();
let staged: StagedPackage;
beforeAll(() => {
  staged = stagePackage();
});
afterAll(() => staged.remove());

it("805 pairs, killed at twenty moments: no reply is asked for twice, none is lost, and the bytes are the same", async () => {
  await killAndGoOn(
    openJudgeProcesses(folder, () => staged),
    { pairs: 805, moments: 20, atMost: 60 },
  );
  expect.hasAssertions();
});
