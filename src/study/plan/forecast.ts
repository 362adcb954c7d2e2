/**
 * What the steps of a study will take: seconds from speeds measured here, memory, calls to the judge and their price. Speeds are those of
 * finished steps of the same kind in this folder; where there is none, they follow from one matrix product on this machine.
 * May not know: how a step is carried out, which kinds there are.
 */
import { multiplyOnce } from "../../runtime/multiply.js";
import { forecastJudge, forecastPairs, forecastPrompts, forecastTuning, parametersOf } from "../../steps/forecast.js";
import { present } from "../../util/errors.js";
import type { StudyState } from "../results/state.js";
import { weightBytes } from "../run/machine.js";
import type { FinishedStep, Forecast, Known, Place } from "../step.js";
import { definitionOf, resultOf, type Step, type StepWork } from "../steps.js";
import type { Graph } from "./graph-builder.js";
import type { Prepared } from "./prepare.js";
import { isUrl } from "./sources.js";

export interface Forecaster {
  of(step: Step): Promise<Forecast>;
}

/** @param graph  in which every step has a plan */
export async function openForecaster({ inputs }: Prepared, state: StudyState, graph: Graph): Promise<Forecaster> {
  const { gigaflops } = await multiplyOnce();
  const finished = finishedSteps(state);
  const answers = {
    parametersOf: once(parametersOf),
    encoderBytes: (encoder: Place) => (isUrl(outside(encoder)) ? undefined : weightBytes(outside(encoder))),
    pairs: once((data: Place, limit) => forecastPairs(outside(data), limit)),
    prompts: once((data: Place, limit) => forecastPrompts(outside(data), limit)),
    tuning: once(forecastTuning),
    judge: once((judge: Place) => forecastJudge(outside(judge))),
    async answersAt(place: Place) {
      const step = graph.steps.find(({ plan }) => plan !== undefined && isAt(place, resultOf(plan)));
      return step === undefined ? undefined : (await of(step)).answers;
    },
  } satisfies Partial<Known<StepWork>>;
  const of = once(async (step: Step): Promise<Forecast> => {
    const { work } = present(step.plan, step.id);
    const { cell } = step;
    const model = cell === undefined ? undefined : { name: cell.model, path: inputs.get("model", cell.model).path };
    const known = {
      ...answers,
      gigaflops,
      cell,
      model,
      finished: finished.filter((one) => one.work.kind === work.kind),
    };
    return definitionOf(work.kind).forecast(work, known);
  });
  return { of };
}

/** The same question is answered once: many steps differ by their seed alone. */
function once<Question extends readonly unknown[], Answer>(
  ask: (...question: Question) => Promise<Answer>,
): (...question: Question) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (...question) => {
    const key = JSON.stringify(question);
    const known = answers.get(key) ?? ask(...question);
    answers.set(key, known);
    return known;
  };
}

const outside = (place: Place): string => ("outside" in place ? place.outside : "");
const isAt = (place: Place, result: { readonly inside: string }): boolean =>
  "inside" in place && place.inside === result.inside;

function finishedSteps(state: StudyState): FinishedStep<StepWork>[] {
  return state.graph().steps.flatMap(({ cell, plan }) => {
    const record = plan === undefined ? undefined : state.records.get(plan.key);
    if (plan === undefined || record?.outcome.kind !== "done") return [];
    return [{ work: plan.work, cell, timings: record.timings }];
  });
}
