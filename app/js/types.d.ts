// Written by tests/script_types.py from the records that routes return; make types writes it anew.

/** One figure. Its rows are the whole of it: the plot shows nothing that they do not hold. */
export interface Chart {
  name: string;
  title: string;
  says: string;
  note: string;
  how: string;
  empty: string;
  columns: string[];
  rows: ((string | number | null)[])[];
  plot: Record<string, any> | null;
  links: (string | null)[];
  size: string;
}

/** The student's answer to one question at one checkpoint. */
export interface CheckpointAnswer {
  step: number;
  answer: string;
  right: number;
}

/** One evaluation of a run on its held-out side. */
export interface CheckpointFigures {
  at: [number, number, number];
  accuracy: number;
  right: number;
  of: number;
  eval_loss: number;
  low: number;
  high: number;
}

/** What is new of a run's figures. */
export interface CurveNews {
  cursor: string;
  anew: boolean;
  series: Record<string, [number, number, number, number][]>;
  evals: CheckpointFigures[];
}

/** Everything that the dashboard draws. */
export interface DashboardFigures {
  at: string;
  numbers: [string, string, string][];
  charts: Chart[];
}

/** What a run will cost on this machine. */
export interface Estimate {
  steps: number;
  examples: number;
  seconds: number;
  most_seconds: number;
  memory_mb: number;
  disk_mb: number;
  basis: string;
}

/** A failure card. */
export interface FailureCard {
  cause: "memory" | "disk" | "snapshot" | "picture" | "layers" | "checkpoint" | "student" | "package" | "job" | "diverged" | "killed" | "unknown";
  text: string;
  advice: string;
  change: Record<string, any>;
}

/** One of the few held-out questions that are asked at every checkpoint. */
export interface FixedAnswer {
  task: string;
  question: string;
  gold: string;
  thumb: string | null;
  answers: CheckpointAnswer[];
  change: "improved" | "broke" | "same";
}

/** One setting of a job, as the form shows it. */
export interface FormField {
  key: string;
  label: string;
  says: string;
  group: "basic" | "advanced";
  kind: "whole" | "number" | "yes" | "text" | "choice" | "numbers" | "names";
  options: string[];
  default: any;
}

/** Several jobs beside each other. */
export interface JobComparison {
  jobs: JobRow[];
  settings: Record<string, any[]>;
  snapshots: Record<string, any[]>;
}

/** One job with all that its page shows. */
export interface JobDetail {
  id: string;
  name: string;
  state: "queued" | "running" | "stopping" | "stopped" | "failed" | "done";
  step: number;
  total: number;
  eta: number | null;
  place: number | null;
  silent: number | null;
  phase: string;
  loss: number | null;
  cause: string | null;
  at: number;
  student: string;
  objective: string;
  method: string;
  snapshot: string;
  accuracy: number | null;
  interval: [number, number] | null;
  of: number | null;
  first: number | null;
  steps: number | null;
  memory_mb: number | null;
  rows: number | null;
  seconds: number | null;
  resume: string;
  folder: string;
  settings: Record<string, any>;
  toml: string;
  command: string;
  failure: Record<string, any> | null;
  log: string[];
  checkpoints: number[];
  best: number | null;
  answers: FixedAnswer[];
  card: string;
  model: string;
}

/** The id of a job that was submitted. */
export interface JobId {
  id: string;
}

/** The running job, the queue in order, then the ended jobs, the newest first. */
export interface JobList {
  jobs: JobRow[];
}

/** The model of a finished job, as a student to train on. */
export interface JobModel {
  id: string;
  name: string;
  folder: string;
  accuracy: number | null;
  of: number;
}

/** A job's line in the list. */
export interface JobRow {
  id: string;
  name: string;
  state: "queued" | "running" | "stopping" | "stopped" | "failed" | "done";
  step: number;
  total: number;
  eta: number | null;
  place: number | null;
  silent: number | null;
  phase: string;
  loss: number | null;
  cause: string | null;
  at: number;
  student: string;
  objective: string;
  method: string;
  snapshot: string;
  accuracy: number | null;
  interval: [number, number] | null;
  of: number | null;
  first: number | null;
  steps: number | null;
  memory_mb: number | null;
  rows: number | null;
  seconds: number | null;
  resume: string;
}

/** The state of a job after a change. */
export interface JobState {
  state: "queued" | "running" | "stopping" | "stopped" | "failed" | "done";
}

/** What the walkthrough shows of the settings at hand. */
export interface Judgement {
  problems: Record<string, string>;
  reasons: string[];
  changed: string[];
  examples: number;
  held_out: number;
  toml: string;
  command: string;
  steps: number | null;
  batch: number | null;
  measured: Estimate | null;
  free_mb: number;
}

/** One lesson as the student gets it. */
export interface LessonPreview {
  task_id: string;
  image: string;
  name: string;
  weight: number;
  pieces: [string, boolean][];
  tokens: number;
  counted: number;
  picture: number;
}

/** How a look is getting on. */
export interface LookState {
  key: string;
  state: "none" | "running" | "done" | "failed";
  seconds: number | null;
  found: Estimate | LessonPreview[] | null;
  failure: FailureCard | null;
}

/** The answer to a change that needs none. */
export interface Nothing {
}

/** Why questions are not in a snapshot, and how many. */
export interface ReasonCount {
  reason: string;
  count: number;
}

/** Pictures that a snapshot and the project's evaluation have in common. */
export interface SharedPictures {
  splits: string[];
  against: number;
  same: number;
  near: number;
  unknown: number;
}

/** A snapshot in the list of those that a job can learn from. */
export interface SnapshotLine {
  hash: string;
  name: string;
  at: string;
  rows: number;
  rationales: number;
  pictures: number;
  accepted: string;
  text: string;
}

/** The contents of a snapshot. */
export interface SnapshotReport {
  hash: string;
  name: string;
  sides: Record<string, number>;
  rows: number;
  rationales: number;
  edited: number;
  pictures: number;
  reviewers: Record<string, number>;
  families: Record<string, number>;
  kinds: Record<string, number>;
  sources: Record<string, number>;
  tools: Record<string, number>;
  programs: number;
  repeated: number;
  contradicting: number;
  left_out: ReasonCount[];
  leak: SharedPictures;
}

/** What the walkthrough offers to choose from. */
export interface TrainForm {
  fields: FormField[];
  methods: Record<string, string>;
  models: JobModel[];
  objectives: string[];
  snapshots: SnapshotLine[];
}

/** What each address answers. */
export interface Replies {
  "/data/browse/total": Record<string, number>;
  "/data/curate/guidelines": Record<string, string>[];
  "/data/dashboard": DashboardFigures;
  "/data/train/curves": CurveNews;
  "/data/train/form": TrainForm;
  "/data/train/job": JobDetail;
  "/data/train/jobs": JobList;
  "/data/train/look": LookState;
  "/data/train/snapshot": SnapshotReport;
  "/data/train/together": JobComparison;
  "/data/views": Record<string, string>[];
  "/do/browse/forget": Record<string, string>;
  "/do/browse/view": Record<string, string>;
  "/do/curate/guidelines": Record<string, string>;
  "/do/curate/rate": Record<string, string>;
  "/do/curate/release": Record<string, number>;
  "/do/train/check": Judgement;
  "/do/train/delete": Nothing;
  "/do/train/look": LookState;
  "/do/train/look/end": Nothing;
  "/do/train/move": Nothing;
  "/do/train/resume": JobState;
  "/do/train/start": JobId;
  "/do/train/stop": JobState;
}

/** What each message of Gradio's queue is, by the name of the call. */
export interface Streams {
}

/** What the server answers at an address, with or without a query; any where it is not typed. */
export type Reply<Address extends string> = Address extends keyof Replies
  ? Replies[Address]
  : Address extends `${infer Path}?${string}`
    ? Reply<Path>
    : any;

/** What each message of a stream is; any where it is not typed. */
export type Message<Name extends string> = Name extends keyof Streams ? Streams[Name] : any;
