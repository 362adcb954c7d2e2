import { expect, it } from "vitest";
import { checkpointSeconds } from "./tune.js";

it.each([
  [268e6, 600], // 3.2 GB: ten minutes at most are lost
  [29e6, 139],
  [260e3, 10],
])("a checkpoint of %d parameters is made every %d seconds", (parameters, seconds) => {
  expect(checkpointSeconds(parameters)).toBeCloseTo(seconds, 0);
});
