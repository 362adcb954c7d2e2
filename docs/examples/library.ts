import { generate, score, tune } from "tacit-lm";

/** Tunes on responses alone, asks, and says how likely an answer is. `model` is a model directory, `folder` takes what is made. */
export async function respond(model: string, folder: string) {
  const tuned = `${folder}/tuned`;
  const run = await tune(
    {
      model,
      data: "assets/tiny/answers.jsonl",
      objective: "response",
      out: tuned,
      epochs: 3,
      batch: 8,
      learningRate: 3e-3,
      reduction: "token",
    },
    { onStep: ({ step, loss }, { total }) => console.error(`step ${step + 1} of ${total}: loss ${loss.toFixed(3)}`) },
  );
  const { outputs } = await generate({
    model: tuned,
    prompts: [{ instruction: "What is a bear?" }],
    rules: "paper",
    maxNewTokens: 40,
  });
  const { scores } = await score({
    model: tuned,
    input: [{ instruction: "What is a bear?", response: "A bear is a big animal." }],
  });
  return { run, output: outputs[0], score: scores[0] };
}
