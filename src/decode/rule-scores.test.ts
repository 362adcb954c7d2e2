/** The decoder's few writes per token against the slow, obvious row. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { scoresRow } from "../rules/row.js";
import type { ResolvedRules } from "../rules/rules.js";
import { startRules } from "./rule-scores.js";

const V = 12;
const id = fc.nat(V - 1);
const score = fc.integer({ min: -24, max: 24 }).map((n) => n / 4);
const scope = fc.constantFrom("response" as const, "conversation" as const);
const ramp = fc.record({
  score,
  tokens: fc.integer({ min: 1, max: 6 }),
  after: fc.constantFrom("grow" as const, "hold" as const, "zero" as const),
});
const rules: fc.Arbitrary<ResolvedRules> = fc.record({
  eosId: id,
  constant: fc.array(fc.tuple(id, score)).map((entries) => new Map(entries)),
  eosRamps: fc.array(ramp, { maxLength: 2 }),
  usedTokens: fc.uniqueArray(fc.record({ score, scope }), { selector: (used) => used.scope }),
});

it("after every token the updated row is the row made from scratch", () => {
  fc.assert(
    fc.property(rules, fc.array(id), fc.array(id, { maxLength: 12 }), (resolved, conversationIds, response) => {
      const progress = startRules(resolved, conversationIds);
      const row = new Float32Array(V);
      const write = (ids: Iterable<number>): void => {
        for (const changed of ids) {
          const { constant, stop, used } = progress.parts(changed);
          row[changed] = constant + used + stop;
        }
      };
      write(progress.scored());
      for (let n = 0; n <= response.length; n++) {
        const judge = scoresRow(resolved, V, { responseIds: response.slice(0, n), conversationIds });
        for (let token = 0; token < V; token++) expect(row[token]).toBeCloseTo(judge[token] ?? Number.NaN, 5);
        const next = response[n];
        if (next !== undefined) write(progress.advance(next));
      }
    }),
  );
});

it("an id outside the vocabulary is a defect, not a write elsewhere", () => {
  const resolved: ResolvedRules = {
    eosId: V,
    constant: new Map(),
    eosRamps: [{ score: 1, tokens: 1, after: "grow" }],
    usedTokens: [],
  };
  expect(() => scoresRow(resolved, V, { responseIds: [], conversationIds: [] })).toThrow(/id 12 is outside/);
});
