import { expect, it } from "vitest";
import { closest } from "./nearest.js";

it("names what is near, whatever the spelling, and nothing where nothing is", () => {
  const names = ["maxNewTokens", "maxLength", "temperature", "seed"];
  expect(
    ["max_new_tokens", "maxNewToken", "temprature", "sede", "verbose", ""].map((name) => closest(name, names)),
  ).toEqual(["maxNewTokens", "maxNewTokens", "temperature", undefined, undefined, undefined]);
});
