/** A file is hashed once as long as the system says that it is the same; a change is found however it was made. */
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { sha256 } from "./files.js";
import { firstChange } from "./fingerprint.js";
import { packageRoot } from "./system.js";

const folder = temporaryFolder();
const changeOf = (root: string, path: string, hash: string, bytes: number) =>
  firstChange(root, [{ path, bytes, sha256: hash }], () => true);

it("says the same of a file the second time", async () => {
  const text = readFileSync(join(packageRoot(), "LICENSE"));
  for (let time = 0; time < 2; time++) {
    expect(await changeOf(packageRoot(), "LICENSE", sha256(text), text.length)).toBeUndefined();
    expect(await changeOf(packageRoot(), "LICENSE", sha256("else"), text.length)).toMatchObject({ what: "changed" });
  }
});

it("finds a change of the same size and time", async () => {
  const path = folder.write("a", "one");
  const { atime, mtime } = statSync(path);
  expect(await changeOf(folder.path("."), "a", sha256("one"), 3)).toBeUndefined();
  writeFileSync(path, "two");
  utimesSync(path, atime, mtime);
  expect(await changeOf(folder.path("."), "a", sha256("one"), 3)).toMatchObject({ what: "changed" });
});
