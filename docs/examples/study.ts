import { planStudy, report, runStudy } from "tacit-lm";

/** Carries out a study (a path, or the name of a shipped one) and writes its report; `folder` takes what is made. */
export async function carryOut(study: string, folder: string) {
  const request = { study, out: `${folder}/study`, threads: 1 };
  const { steps, totals } = await planStudy(request);
  console.error(
    `${steps.length} steps, ${totals.calls} calls to the judge, ${Math.ceil(totals.seconds)} s of computing`,
  );
  const results = await runStudy(
    { ...request, inThisThread: true }, // else computing has threads of its own, so that a judge's replies need not wait
    { onEvent: (event) => event.event === "end" && console.error(`${event.step}: ${event.outcome.kind}`) },
  );
  for (const { arm, against, win_rate: rate } of results.comparisons) {
    console.error(
      `${arm} against ${against}: ${rate.mean?.toFixed(1)} % [${rate.interval.low}, ${rate.interval.high}]`,
    );
  }
  return { results, written: await report({ study: request.out, out: `${folder}/report` }) };
}
