/** The shipped model is what the import makes of the published files, byte for byte. Needs ../shared beside the checkout. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importModel } from "../../src/model-files/import.js";
import { verifyModel } from "../../src/model-files/verify.js";
import { repositoryRoot } from "../staged-package.js";
import { temporaryFolder } from "../temporary-folder.js";

const published = join(repositoryRoot, "..", "shared", "data", "models");
const shipped = join(repositoryRoot, "assets", "stories260k");
const folder = temporaryFolder();

describe.skipIf(!existsSync(published))("assets/stories260k", () => {
  it("is the import of stories260K.bin and tok512.bin", async () => {
    const out = folder.path("stories260k");
    const summary = await importModel({ file: join(published, "stories260K.bin"), out });
    expect(summary).toMatchObject({ model_type: "llama", parameters: 260_032, tensors: 47 });
    const files = readdirSync(shipped).filter((name) => name !== "README.md");
    expect(files.sort()).toEqual([...summary.files].sort());
    const differing = files.filter((name) => !readFileSync(join(out, name)).equals(readFileSync(join(shipped, name))));
    expect(differing).toEqual([]);
  });

  it("is sound", async () => {
    expect((await verifyModel(shipped)).checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});
