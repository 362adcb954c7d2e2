import {
  agreement,
  chat,
  checkData,
  choose,
  compare,
  explainRules,
  generate,
  inspectModel,
  judge,
  verifyModel,
  winrate,
} from "tacit-lm";

/** The answer as it comes; whoever stops reading stops it. */
export async function ask(model: string, question: string) {
  const stream = chat({ model, question, maxNewTokens: 20 });
  let text = "";
  for await (const piece of stream) text += piece;
  const { stop, tokens } = await stream.answer;
  return { text, stop, tokens };
}

/** What is known of a model and of data before anything is computed. */
export async function look(model: string, data: string) {
  const { family, parameters } = await inspectModel(model);
  const { ok, checks } = await verifyModel(model);
  const { examples, bad, warnings } = await checkData(data);
  const { unresolved } = await explainRules({ model, rules: "paper" });
  return { family, parameters, ok, checks, examples, bad, warnings, unresolved };
}

/** Answers under rules against those without, by the judge that prefers the longer one; annotations need not be files. */
export async function weigh(model: string, prompts: string, folder: string) {
  for (const [name, rules] of Object.entries({ plain: {}, rules: { rules: "paper" } })) {
    await generate({ model, prompts, maxNewTokens: 8, out: `${folder}/${name}.json`, ...rules });
  }
  const [outputs, baseline] = [`${folder}/rules.json`, `${folder}/plain.json`];
  const { annotations } = await judge({ outputs, baseline, judge: "longer", out: `${folder}/judged` });
  const { models } = await winrate({ annotations: [{ name: "rules", annotations }], lc: "none" });
  const { pairs } = await agreement({
    annotations: [
      { name: "a", annotations },
      { name: "b", file: `${folder}/judged/annotations.json` },
    ],
  });
  const { win_rate: overSeeds } = await compare({
    arm: "rules",
    against: "plain",
    pairs: [{ annotations: `${folder}/judged/annotations.json`, seed: 1 }],
    lc: "none",
  });
  const { chosen } = await choose({
    measure: "loss",
    measured: [
      { epochs: 3, seed: 1, values: [1.9, 2.1] },
      { epochs: 5, seed: 1, values: [1.7, 2.0] },
    ],
  });
  return { model: models[0], agreed: pairs[0], overSeeds, chosen };
}
