/** What is said while inputs are read. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { packageRoot } from "../../util/system.js";
import { prepareShown } from "./prepare.js";

const folder = temporaryFolder();

const said = async (repeatMs?: number): Promise<string> => {
  let text = "";
  const stream = {
    isTTY: false,
    write(piece: string): void {
      text += piece;
    },
  };
  const request = { study: "tiny", models: [join(packageRoot(), "assets", "stories260k")], out: folder.path("out") };
  await prepareShown(
    { ...request, encoder: request.models[0]! },
    { events: false, note: () => {} },
    repeatMs === undefined ? { stream } : { stream, repeatMs },
  );
  expect(existsSync(folder.path("out"))).toBe(false);
  return text;
};

it("how far the inputs are read is said in a log too, and nothing of what takes no time", async () => {
  const lines = (await said(0)).trim().split("\n");
  expect(lines).toContainEqual(expect.stringMatching(/^reading the model base: [\d.]+ [kM]B of [\d.]+ [kM]B$/));
  expect(lines.at(-1)).toMatch(/^reading the \w+.*: (.*) of \1$/); // to the end
  expect(await said()).toBe("");
});
