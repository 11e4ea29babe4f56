// What was chosen for a job so far: begun from the project, from the address, or from another job.
import { newId, get } from "./server.js";

/** @typedef {import("../js/types").JobDetail} JobDetail */
/** @typedef {import("../js/types").TrainForm} TrainForm */

export const OBJECTIVES = {
  vpd: "labels and rationales, as published (L = label + weight × rationale)",
  instruct: "labels alone, on the same rows and for the same steps: the control",
  dpo: "preference pairs: the better rationale against the other one",
  kto: "preference pairs: each rationale as good or bad by itself",
};
export const draftKey = `vpd-train-draft ${document.body.dataset.scope}`;
const fresh = (student = "bundled") => ({
  snapshot: "",
  student,
  objective: "vpd",
  weight: "1",
  method: "lora",
  values: {},
  request: newId(),
});

/** @param {TrainForm} form */
function storedDraft(form) {
  const { method = "lora", ...values } = form.usual[form.student] ?? {};
  const begun = { ...fresh(form.student), method, values };
  try {
    return { ...begun, ...JSON.parse(localStorage.getItem(draftKey) ?? "{}") };
  } catch {
    return begun;
  }
}

/** The values of a table by keys with its name, as fields have them. */
const flat = (table, values) =>
  Object.fromEntries(
    Object.entries(values ?? {}).map(([key, value]) => [`${table}.${key}`, value]),
  );

/**
 * A finished or failed job's settings as a draft, with changes.
 * @param {JobDetail} job
 */
function copyOf(job, change) {
  const {
    snapshot,
    student,
    objective,
    arguments: objectiveArguments,
    method,
    lora,
    teacher,
    ...rest
  } = { ...job.settings, ...change };
  // tables without a control of their own stay as they are; an empty one is none
  const empty = (value) => value?.constructor === Object && !Object.keys(value).length;
  const values = {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => !empty(value))),
    ...flat("lora", lora),
    ...flat("teacher", teacher),
    ...(objective in OBJECTIVES ? {} : flat("arguments", objectiveArguments)),
  };
  return {
    ...fresh(),
    snapshot: snapshot.split("/").pop(),
    student,
    objective,
    weight: String(objectiveArguments?.weight ?? 1),
    method,
    values,
  };
}

/** The job that the address says to copy. */
async function draftOf(params, form) {
  const job = await get(`data/train/job?job=${encodeURIComponent(params.get("from"))}`);
  const draft = copyOf(job, JSON.parse(params.get("change") || "{}"));
  for (const field of form.fields) {
    if (JSON.stringify(draft.values[field.key]) === JSON.stringify(field.default)) {
      delete draft.values[field.key];
    }
  }
  return draft;
}

/** The student and the snapshot that the address names; a snapshot that is gone is replaced. */
function applyAddress(draft, params, form) {
  const student = form.models.find((one) => one.id === params.get("student"));
  if (student) changeStudent(draft, student.folder, form);
  draft.snapshot = params.get("snapshot") || draft.snapshot;
  const objective = params.get("objective");
  if (form.objectives.some((one) => one.name === objective)) draft.objective = objective;
  if (!form.snapshots.some((one) => one.hash === draft.snapshot)) {
    draft.snapshot = form.snapshots[0]?.hash ?? "";
  }
}

/**
 * Another student; settings that are usual for the one before give way to those for it.
 * @param {TrainForm} form
 */
export function changeStudent(draft, student, form) {
  const { method: methodBefore, ...left } = form.usual[draft.student] ?? {};
  for (const [key, value] of Object.entries(left)) {
    if (draft.values[key] === value) delete draft.values[key];
  }
  const { method, ...mine } = form.usual[student] ?? {};
  Object.assign(draft.values, { ...mine, ...draft.values });
  if (method || draft.method === methodBefore) draft.method = method ?? "lora";
  draft.student = student;
}

/**
 * The draft that was left, or one of the job that the address says to copy.
 * @param {TrainForm} form
 */
export async function firstDraft(params, form) {
  const draft = params.get("from") ? await draftOf(params, form) : storedDraft(form);
  applyAddress(draft, params, form);
  return draft;
}
