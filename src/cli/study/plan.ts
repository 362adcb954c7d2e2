import type { StudyRequest } from "../../study/prepare.js";
import type { Io } from "../run-action.js";
export async function showPlan(_r: StudyRequest, _f: { readonly steps: boolean }, _io: Io): Promise<object> { return {}; }
