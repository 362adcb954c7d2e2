/** The constants are what CPython 3.11.7 prints for `random.Random(seed).random()`. */
import { expect, it } from "vitest";
import { pythonChoice, pythonUniform } from "./python-random.js";

it.each([
  ["", 0.9602256525641875],
  ["a", 0.2720295377534757],
  ["is_switched_outputsWhat is a bear?0", 0.8512535309344786],
  ["na\u00efve caf\u00e9 \u2615 \ud83d\ude00", 0.626172529118855],
  ["x".repeat(5000), 0.5761835444429939],
  ["\u0000\u0000ab", 0.09281126072600643],
])("%j", (seed, value) => {
  expect(pythonUniform(seed)).toBe(value);
  expect(pythonChoice(seed, 2)).toBe(Math.floor(2 * value));
});
