/** What a study scores: an instruction with the response that answers it. */
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { scorePairs } from "./score-rows.js";

const files = temporaryFolder();

it("of a dialogue the first exchange is scored, not its first instruction with its last response", async () => {
  const messages = ["Name a fish.", "A carp.", "And a bird?", "A crow."].map((content, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content,
  }));
  const rows = [
    { id: "one", instruction: "i", input: "x", response: "o" },
    { id: "two", messages },
  ];
  const path = files.write("rows.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
  expect(await scorePairs(path)).toEqual([
    { id: "one", instruction: "i\n\nx", response: "o" },
    { id: "two", instruction: "Name a fish.", response: "A carp." },
  ]);
});
