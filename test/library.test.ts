/** The library's example: what the guide shows is what runs here. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { respond } from "../docs/examples/library.js";
import { temporaryFolder } from "./temporary-folder.js";

const folder = temporaryFolder().path("library");

it("runs the guide's example on the model in the package", async () => {
  const { run, output, score } = await respond("assets/stories260k", folder);
  expect(run.steps).toBe(15);
  expect(run.final_loss).toBeLessThan(2.5); // 4.3 before the first step
  expect(existsSync(join(folder, "tuned/model.safetensors"))).toBe(true);
  expect(output?.instruction).toBe("What is a bear?");
  expect(output?.tokens).toBeLessThanOrEqual(40);
  expect(score?.logprobs.length).toBe(score?.tokens);
  expect(score?.sum).toBeLessThan(0);
});

it("is the text that the guide shows", () => {
  const code = readFileSync("docs/examples/library.ts", "utf8");
  expect(readFileSync("docs/guide/library.md", "utf8")).toContain(`\`\`\`ts\n${code}\`\`\``);
});
