import { generate, score, tune } from "tacit-lm";

/** Tunes on the responses of `data` (a file, as in `lima:lima_data.jsonl`), asks, and says how likely an answer is. `folder` takes what is made. */
export async function respond(model: string, data: string, folder: string) {
  const tuned = `${folder}/tuned`;
  const run = await tune(
    {
      model,
      data,
      objective: "response",
      out: tuned,
      epochs: 3,
      batch: 8,
      learningRate: 3e-3,
      reduction: "token",
    },
    { onEvent: (event) => event.event === "progress" && console.error(`step ${event.done}: loss ${event.loss}`) },
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
