// Written by tests/script_types.py from the records that routes return; make types writes it anew.

/** How far two reviewers agree. */
export interface Agreement {
  first: string;
  second: string;
  n: number;
  same: number;
  kappa: number | null;
  note: string;
}

export interface AgreementView {
  with: string | null;
  n: number;
  kappa: number | null;
  note: string;
}

/** The queue is empty because every question is decided, held or skipped. */
export interface AllDone {
  held: number;
  disputed: number;
  skipped: number;
  today: number;
  state: "pending" | "skipped" | "disputed";
  kind: "done";
}

/** Candidates whose answers mean the same. */
export interface AnswerGroup {
  answer: string;
  count: number;
}

/** One step of a run, in words. */
export interface ApiStep {
  line: number;
  does: string;
  tool: boolean;
  arguments: Record<string, string>;
  result: string | null;
  changed: Record<string, string>;
  printed: string | null;
  error: string | null;
  boxes: StepBox[];
}

/** One run step by step. */
export interface ApiTrace {
  trace: string;
  task: string;
  question: string;
  choices: string[];
  gold: string[];
  image: string;
  more_images: string[];
  program: string;
  parent: string | null;
  answer: string | null;
  problem: string | null;
  state: string;
  seconds: number;
  steps: ApiStep[];
  rationale: string | null;
  faithful: boolean | null;
}

/** All boxes that the rationale has named so far. */
export interface BoxesNews {
  boxes: TextBox[];
  kind: "boxes";
}

/** A page of the list. */
export interface BrowsePage {
  rows: QuestionRow[];
  next: string | null;
  tokens: SearchToken[];
  words: string[];
  phrases: string[];
}

/** How many questions a search finds. */
export interface BrowseTotal {
  total: number;
  all: number;
}

/** How many sides were answering. */
export interface CancelledSides {
  cancelled: number;
}

/** One run of a question, as a reviewer sees it. */
export interface CandidateView {
  number: string;
  trace: string;
  program: string;
  answer: string | null;
  problem: string;
  facts: string;
  state: string;
  judged: string;
  rationale: string | null;
  text: string;
  group: number | null;
  flags: string[];
  model: PlayerModel | null;
}

/** A cell of the table, and the search of Browse that lists its questions. */
export interface CellView {
  name: string;
  title: string;
  filter: string;
}

/** A step that differs between two runs; a side is None where the step is missing. */
export interface ChangedStep {
  sign: "-" | "+" | "~";
  old: [number, number, string, string] | null;
  new: [number, number, string, string] | null;
}

/** A variable that a step set. */
export interface ChangedVariable {
  name: string;
  value: ValuePiece[];
  before: ValuePiece[] | null;
}

/** One figure; its plot shows nothing that its rows do not hold. */
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

/** Figures that answer one question. */
export interface ChartSection {
  name: string;
  title: string;
  charts: Chart[];
  empty: Chart[];
}

/** The student's answer to one question at one checkpoint. */
export interface CheckpointAnswer {
  step: number;
  answer: string;
  right: number;
  cut: boolean;
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

export interface CodeNews {
  kind: "code";
  from: number;
  lines: [string, string][][];
}

/** A picture to ask about, with a question where one comes along. */
export interface ComparePicture {
  image: string;
  url: string;
  thumb: string;
  width: number;
  height: number;
  question: string;
  task: string;
  change: string;
}

/** Both sides over the project's labelled questions that both have answered. */
export interface CompareTables {
  counting: "any" | "vote" | "first";
  all: TableView;
  families: Record<string, TableView>;
  tools: Record<string, TableView>;
  left_out: number;
  means: string;
  k: number;
  cells: CellView[];
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
  sections: ChartSection[];
}

/** Questions that a person decided today. */
export interface DayChip {
  count: number;
  goal: number;
}

/** What deciding on questions has done. */
export interface DecidedBatch {
  batch: string | null;
  decided: number;
  left_out: Record<string, number>;
}

/** What deciding on questions would do. */
export interface DecisionCount {
  decided: number;
  left_out: Record<string, number>;
}

/** A decision as it was stored, and the state of its question after it. */
export interface DecisionReceipt {
  id: string;
  seq: number | null;
  state: string;
}

/** The first NVIDIA device now. */
export interface DeviceChip {
  name: string;
  used: number;
  memory: number;
  total: number;
  heat: number;
}

/** What came of the question on this side; nothing follows. */
export interface EndNews {
  answer: string | null;
  form: string | null;
  right: boolean | null;
  gold: string[];
  failure: Failure | null;
  cancelled: boolean;
  times: Times;
  version: string;
  steps: number | null;
  rationale: string;
  problem: string;
  kind: "finished";
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

/** One value of a facet. */
export interface FacetChoice {
  value: string;
  count: number;
  picked: boolean;
  excluded: boolean;
  to: string;
  unless: string;
}

/** A facet with its values. */
export interface FacetView {
  name: string;
  title: string;
  values: FacetChoice[];
}

/** Why something did not work, kept as data. */
export interface Failure {
  kind: "syntax" | "unsupported" | "source" | "runtime" | "tool_error" | "steps" | "memory" | "recursion" | "tool_calls" | "output" | "value" | "time" | "infra";
  message: string;
  line: number | null;
}

/** Why a run failed, and what to do, for people. */
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

export interface Fold {
  from: number;
  to: number;
  line: number;
  rounds: number[];
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

/** A snapshot that was taken. */
export interface FrozenSnapshot {
  hash: string;
  path: string;
  rows: number;
}

/** Guidelines for reviewers, in one version. */
export interface GuidelineText {
  version: string;
  text: string;
  author: string;
  at: string;
}

/** What goes on now; None where it does not. */
export interface HeaderNews {
  at: string;
  job: JobChip | null;
  training: RunningJob | null;
  device: DeviceChip | null;
  today: DayChip | null;
}

/** Questions that a page still holds, and those that it has lost. */
export interface HeldQuestions {
  held: string[];
  lost: LostQuestion[];
}

/** The queue is empty because its filter hides every question. */
export interface HiddenByFilter {
  hidden: number;
  kind: "filter";
}

/** What the forms of the start page offer to choose from. */
export interface HomeForm {
  sources: OfferedSource[];
  splits: Record<string, number>;
  k: number;
}

/** Everything that the start page shows and that changes. */
export interface HomeNews {
  steps: LoopStep[];
  next: NextAction;
  waiting: number;
  seconds: number | null;
  recent: RecentLine[];
  problem: string;
}

/** The run of the loop that writes now. */
export interface JobChip {
  name: string;
  stage: string;
  place: string;
  done: number;
}

/** Several jobs beside each other. */
export interface JobComparison {
  jobs: JobListing[];
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
  failure: FailureCard | null;
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
  jobs: JobListing[];
}

/** A job's line in the list. */
export interface JobListing {
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

/** The model of a finished job, as a student to train on. */
export interface JobModel {
  id: string;
  name: string;
  folder: string;
  accuracy: number | null;
  of: number;
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

/** Questions that a reviewer holds. */
export interface LeaseCount {
  name: string;
  count: number;
  until: string;
}

/** Who decides on a question now. */
export interface LeaseHolder {
  name: string;
  minutes: number;
}

/** Questions that fitted the filter and are not in, for one reason. */
export interface LeftOut {
  reason: string;
  count: number;
  examples: string[];
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
  more_images: string[];
}

/** The answers that a link carries. */
export interface LinkedAnswers {
  picture: ComparePicture;
  at: string;
  sides: Record<string, (WaitNews | StartNews | TextNews | CodeNews | ProgramNews | StepsNews | BoxesNews | EndNews)[]>;
  votable: boolean;
}

/** A step of the program, as a cell of its strip shows it. */
export interface LiveStep {
  kind: string;
  line: number;
  title: string;
  short: string;
  error: string;
  ms: number;
  boxes: StepBox[];
}

/** How a look is getting on. */
export interface LookState {
  key: string;
  state: "none" | "running" | "done" | "failed";
  seconds: number | null;
  found: Estimate | LessonPreview[] | null;
  failure: FailureCard | null;
}

/** A job as the disk shows it. */
export interface LoopJob {
  id: string;
  work: "import" | "run";
  questions: number;
  split: string | null;
  source: string;
  person: string;
  state: "running" | "stopping" | "stopped" | "failed" | "done";
  stage: string;
  done: number;
  total: number;
  unit: string;
  stage_left: number | null;
  left: number | null;
  at: number;
  seconds: number;
  problem: string;
  notes: string[];
}

/** The job of the loop that works, or the one that did so last; None where there was none. */
export interface LoopJobNews {
  job: LoopJob | null;
}

/** One step of the loop. */
export interface LoopStep {
  name: "questions" | "programs" | "verify" | "curate" | "train" | "compare";
  title: string;
  count: number;
  unit: string;
  note: string;
  what: string;
  href: string;
  is_next: boolean;
}

/** A question that a page does not hold any more, and who holds it now. */
export interface LostQuestion {
  task: string;
  by: string;
}

/** The event that marks a first wrong step, and the question. */
export interface MarkedStep {
  event: string;
  task: string;
}

/** An argument or a variable. */
export interface NamedValue {
  name: string;
  value: ValuePiece[];
}

/** What makes sense next. */
export interface NextAction {
  step: "questions" | "programs" | "verify" | "curate" | "train" | "compare";
  title: string;
  words: string;
  href: string;
}

/** The answer to a change that needs none. */
export interface Nothing {
}

/** The queue is empty because no program was right so far. */
export interface NothingYet {
  questions: number;
  kind: "nothing";
}

/** An objective, as the form offers it. */
export interface ObjectiveChoice {
  name: string;
  says: string;
  needs_teacher: boolean;
  fields: FormField[];
}

/** A source that questions can be taken from. */
export interface OfferedSource {
  name: string;
  splits: string[];
  problem: string;
}

/** What another reviewer says of a question. */
export interface OtherRuling {
  author: string;
  kind: string;
}

/** One key of the questions' `meta`. */
export interface OwnColumn {
  key: string;
  questions: number;
  example: string;
}

/** The difference of two systems on the same questions. */
export interface Paired {
  difference: number;
  low: number;
  high: number;
  p: number;
  n: number;
  clusters: number;
  only_a: number;
  only_b: number;
  test: "mcnemar" | "permutation";
  mcnemar: number | null;
}

/** A page of the history. */
export interface PastPage {
  rows: PastRow[];
  before: string | null;
  rollbacks: RollbackRow[];
  people: string[];
}

/** Events of one person in one hour: those of a batch, or those that were made one by one. */
export interface PastRow {
  hour: string;
  author: string;
  batch: string | null;
  since: string;
  until: string;
  words: [number, string][];
  n: number;
  undone: number;
  mine: boolean;
}

/** A box in a picture of a step. */
export interface PictureBox {
  box: number[];
  label: string;
}

/** A picture as a page draws it. */
export interface PictureView {
  image: string;
  url: string | null;
  width: number;
  height: number;
  problem: string;
  more: PictureView[];
}

/** A stretch of a rationale. */
export interface Piece {
  text: string;
  box: number[] | null;
  picture: number;
}

/** A run in short, for the step player. */
export interface PlayerModel {
  source: [string, string][][];
  ran: Record<string, number>;
  steps: [string, number, string, string, number, boolean][];
  folds: Fold[];
  start: number;
  picture: PictureView;
  told: PlayerRationale | null;
  full: Step[];
  wrong: number | null;
  mark: string | null;
  trace: string;
  task: string;
  text: string;
}

/** The rationale beside the steps. */
export interface PlayerRationale {
  sentences: PlayerSentence[];
  issues: string[];
  writer: string;
}

/** A sentence of the rationale beside the steps. */
export interface PlayerSentence {
  pieces: Piece[];
  supported: boolean;
  steps: number[];
}

/** The program is complete. */
export interface ProgramNews {
  kind: "wrote";
}

/** A question with its candidates, as a reviewer sees it. */
export interface QuestionItem {
  task: string;
  question: string;
  choices: string[];
  gold: string;
  family: string;
  source: string;
  split: string;
  why: string;
  picture: PictureView;
  hidden: boolean;
  candidates: CandidateView[];
  at: number;
  groups: AnswerGroup[];
  failed: number;
  mine: ReviewedAnswer | null;
  others: ReviewedAnswer[];
  gold_item: string | null;
  until: string | null;
  holder: LeaseHolder | null;
}

/** One question at a glance. */
export interface QuestionPeek {
  picture: PictureView;
  question: string;
  choices: string[];
  gold: string;
  trace: string | null;
  answer: string | null;
  state: string;
  number: number | null;
  problem: string;
  source: [string, string][][];
  rationale: string;
  faithful: boolean | null;
  student: StudentAnswer | null;
}

/** One question of the list. */
export interface QuestionRow {
  id: string;
  image: string;
  more: string[];
  question: string;
  gold: string;
  family: string;
  state: string;
  said: string;
  status: string;
  kept: string | null;
  faithful: boolean | null;
  tools: string[];
  steps: number | null;
  seconds: number | null;
  waiting: number | null;
  student: string | null;
  student_state: string;
  review: string;
  reviewers: string[];
  updated: string;
  runs: RunRow[];
  own: string[];
}

/** How far the reviewer has come. */
export interface QueueFigures {
  remaining: number;
  held: number;
  disputed: number;
  skipped: number;
  today: number;
  goal: number;
  seconds: number | null;
  order: string;
  note: string;
}

/** Settings of the queue, and who holds questions. */
export interface QueueRules {
  settings: Settings;
  held: LeaseCount[];
}

/** Questions that were sent to the queue. */
export interface QueuedBatch {
  batch: string;
  queued: number;
}

/** How many questions of a cell were sent to the queue. */
export interface QueuedCell {
  id: string;
  queued: number;
}

/** A question that was sent to the queue. */
export interface QueuedQuestion {
  id: string;
  task: string;
  trace: string | null;
}

/** One side of a pair, without its model. */
export interface RatedSide {
  answer: string;
  rationale: Piece[];
}

/** What all raters said of two models (`HumanEvaluation`), the paper's figures beside it. */
export interface RatingFigures {
  first: string;
  second: string;
  questions: number;
  ratings: number;
  raters: string[];
  shares: Record<string, ShareView[]>;
  differences: Record<string, Paired | null>;
  preferences: Record<string, ShareView>;
  agreement: Record<string, Agreement[]>;
  paper: Record<string, number[]>;
  names: string[];
  asked: Record<string, string>;
}

/** A question with two answers to rate. */
export interface RatingPair {
  task: string;
  question: string;
  choices: string[];
  picture: PictureView;
  left: RatedSide;
  right: RatedSide;
}

/** Pairs to rate, and how far the rater has come. */
export interface RatingPairs {
  pairs: RatingPair[];
  rated: number;
  of: number;
}

/** Why questions are not in a snapshot, and how many. */
export interface ReasonCount {
  reason: string;
  count: number;
}

/** One thing that was done lately. */
export interface RecentLine {
  kind: "import" | "run" | "decisions" | "training" | "snapshot";
  words: string;
  at: string;
  href: string;
}

/** How many questions a page let go of. */
export interface ReleasedQuestions {
  released: number;
}

/** What came of a changed program, beside the stored run. */
export interface ReplayOutcome {
  draft: string;
  answer: string | null;
  failure: string | null;
  line: number | null;
  right: boolean | null;
  judged: string;
  issues: string[];
  calls: number;
  cached: number;
  seconds: number;
  was: string | null;
  changes: RunDifference;
  state: "done";
}

/** The program runs. */
export interface ReplayProgress {
  events: number;
  state: "running";
}

/** The sandbox and its tools are loading. */
export interface ReplayStart {
  state: "loading";
}

/** What a reviewer says of a question now. */
export interface ReviewedAnswer {
  author: string;
  kind: string;
  cause: string | null;
  reason: string;
  text: string;
  number: string | null;
  trace: string | null;
  event: string | null;
  at: string | null;
  bulk: boolean;
}

/** What a rollback would take back now. */
export interface RollbackReach {
  events: number;
  questions: number;
  words: [number, string][];
}

/** A rollback, and whether it stands. */
export interface RollbackRow {
  id: string;
  author: string;
  subject: string;
  since: string;
  until: string;
  at: string;
  undone: boolean;
  may: boolean;
}

/** Questions that a snapshot leaves out for one reason. */
export interface RowsLeftOut {
  reason: string;
  count: number;
  examples: string[];
}

/** What differs between two runs, step by step. */
export interface RunDifference {
  rows: ChangedStep[];
  more: number;
  same: number;
}

/** One run of a question of the list. */
export interface RunRow {
  number: number;
  program: string;
  trace: string | null;
  answer: string | null;
  form: string | null;
  kind: string | null;
  steps: number | null;
  seconds: number | null;
  waiting: number | null;
  tools: string[];
  state: string;
}

/** The job that runs. */
export interface RunningJob {
  id: string;
  name: string;
  step: number;
  total: number;
  eta: number | null;
  silent: number | null;
}

/** A search that somebody saved. */
export interface SavedSearch {
  name: string;
  q: string;
  sort: string;
  author: string;
  mine: boolean;
}

/** A page of the questions that a search finds. */
export interface SearchPage {
  rows: QuestionRow[];
  next: string | null;
  total: number;
}

/** A token of a search, and the search without it. */
export interface SearchToken {
  token: string;
  without: string;
}

/** A recipe that weighs the training rows of a snapshot. */
export interface SelectorOffer {
  name: string;
  idea: string;
  loads: boolean;
}

/** Questions that are leased to a page; where there are none, why. */
export interface ServedQuestions {
  items: QuestionItem[];
  none: HiddenByFilter | NothingYet | AllDone | null;
  lasts: number;
}

/** What the person did in the last stretch of work. */
export interface SessionView {
  begin: string;
  end: string;
  minutes: number;
  decided: number;
  verdicts: Record<string, number>;
  bulk: number;
  reasons: Record<string, number>;
  edits: number;
  undone: number;
  seconds: number | null;
  same: number;
  judged: number;
  few: number;
}

/** The rules of the queue; the store's last row is in force, so that all processes see it. */
export interface Settings {
  overlap: number;
  gold_rate: number;
  hide_verdicts: boolean;
  lease_minutes: number;
  daily_goal: number;
  order: "disagreement" | "student" | "newest" | "random" | "acceptance" | "suspicion" | "picture" | "program" | "rationale";
}

/** A share with its interval (`workbench.shares.Share`). */
export interface ShareView {
  hits: number;
  of: number;
  value: number | null;
  low: number;
  high: number;
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

/** What a snapshot would hold now: rows, and how many of them are of which sort. */
export interface SnapshotPreview {
  rows: number;
  train: number;
  val: number;
  rationales: number;
  edited: number;
  pictures: number;
  people: number;
  reviewers: string[];
  left_out: RowsLeftOut[];
}

/** A snapshot that was taken. */
export interface SnapshotReceipt {
  hash: string;
  path: string;
  counts: Record<string, any>;
  left_out: LeftOut[];
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

/** A split that a snapshot can be told to take. */
export interface SplitOffer {
  name: string;
  questions: number;
  evaluates: boolean;
}

/** It is the question's turn. */
export interface StartNews {
  cold: boolean;
  kind: "started";
}

/** One step of a run. */
export interface Step {
  kind: string;
  line: number;
  title: string;
  heading: string;
  short: string;
  arguments: NamedValue[];
  result: ValuePiece[] | null;
  error: string;
  changed: ChangedVariable[];
  text: string;
  textTitle: string;
  facts: string[];
  boxes: StepBox[];
  pictures: StepPicture[];
  looked: number[];
  ms: number;
  cached: boolean;
  raw: Record<string, any>[];
  frame: number;
  form: string;
}

/** A box that a step draws into the picture. */
export interface StepBox {
  box: number[];
  label: string;
  role: "result" | "receiver" | "variable" | "loop";
  patch: string | null;
  score: number | null;
  picture: number;
}

/** A picture, or a part of it, that a step looked at or made. */
export interface StepPicture {
  words: string;
  image: string;
  url: string | null;
  size: number[];
  part: number[];
  boxes: PictureBox[];
  number: number;
}

export interface StepsNews {
  kind: "steps";
  from: number;
  steps: LiveStep[];
}

/** A decision as stored, with what may be seen after it. */
export interface StoredDecision {
  event: string;
  rationale: string | null;
  automatic: boolean | null;
  others: OtherRuling[];
}

/** A draft that was stored, by the ids of its trace and its program. */
export interface StoredEdit {
  trace: string;
  program: string;
}

/** The event of a rating. */
export interface StoredRating {
  event: string;
}

/** A rollback that was stored. */
export interface StoredRollback {
  id: string;
  events: number;
}

/** The event of a vote, and its question. */
export interface StoredVote {
  id: string;
  task: string;
}

/** What the student says of a question. */
export interface StudentAnswer {
  answer: string;
  state: string;
  words: string;
  problem: string;
}

/** A 2x2 table: questions in each cell, the shares of both sides, and McNemar's p. */
export interface TableView {
  both: number;
  pipeline: number;
  student: number;
  neither: number;
  of: number;
  pipeline_right: ShareView;
  student_right: ShareView;
  p: number | null;
}

/** Questions that were tagged. */
export interface TaggedBatch {
  batch: string;
  tagged: number;
  tag: string;
}

/** A teacher, as the form offers it. */
export interface TeacherChoice {
  name: string;
  says: string;
  fields: FormField[];
}

/** A box that a rationale names, and the stretch of the text that names it. */
export interface TextBox {
  box: number[];
  start: number;
  end: number;
}

/** A piece of an answer or a rationale, which stands behind the earlier ones. */
export interface TextNews {
  part: "answer" | "rationale";
  text: string;
  kind: "said";
}

/** What an answer took, in seconds. */
export interface Times {
  wait: number;
  load: number;
  first: number | null;
  answer: number | null;
  total: number;
  peak_bytes: number;
  cold: boolean;
}

/** What the walkthrough offers to choose from. */
export interface TrainForm {
  student: string;
  usual: Record<string, Record<string, any>>;
  fields: FormField[];
  methods: Record<string, string>;
  models: JobModel[];
  objectives: ObjectiveChoice[];
  teacher: FormField[];
  teachers: TeacherChoice[];
  snapshots: SnapshotLine[];
}

/** One of the reviewer's last decisions, or a batch of them. */
export interface TrayRow {
  event: string;
  batch: boolean;
  kind: "accept" | "reject" | "skip" | "edit" | "note" | "wrong_step" | "adjudicate" | "gold" | "queue" | "rating" | "tag" | "undo" | "rollback";
  task: string;
  question: string;
  verdict: string | null;
  reason: string;
  text: string;
  undone: boolean;
  automatic: boolean | null;
  at: string | null;
}

/** The event, or the batch, that was taken back. */
export interface UndoneEvent {
  undone: string;
}

/** A stretch of a value's text. */
export interface ValuePiece {
  text: string;
  patch: string | null;
}

/** Name of a search that was saved or forgotten. */
export interface ViewName {
  name: string;
}

/** Others are before the question. */
export interface WaitNews {
  ahead: number;
  kind: "queued";
}

/** What a wording says that its trace does not support, as sentences; none where all is well. */
export interface WordingFaults {
  faults: string[];
}

/** What each address answers. */
export interface Replies {
  "data/browse": BrowsePage;
  "data/browse/columns": OwnColumn[];
  "data/browse/facets": FacetView[];
  "data/browse/own": FacetView[];
  "data/browse/peek": QuestionPeek;
  "data/browse/tags": string[];
  "data/browse/total": BrowseTotal;
  "data/compare/answers": LinkedAnswers;
  "data/compare/examples": ComparePicture[];
  "data/compare/picture": ComparePicture;
  "data/compare/tables": CompareTables;
  "data/compare/task": ComparePicture;
  "data/curate/agreement": AgreementView;
  "data/curate/candidate": PlayerModel;
  "data/curate/guidelines": GuidelineText[];
  "data/curate/history": PastPage;
  "data/curate/item": QuestionItem;
  "data/curate/pairs": RatingPairs;
  "data/curate/progress": QueueFigures;
  "data/curate/queue": QueueRules;
  "data/curate/ratings": RatingFigures;
  "data/curate/reach": RollbackReach;
  "data/curate/recent": TrayRow[];
  "data/curate/selectors": SelectorOffer[];
  "data/curate/session": SessionView | null;
  "data/curate/snapshot": SnapshotPreview;
  "data/curate/splits": SplitOffer[];
  "data/dashboard": DashboardFigures;
  "data/shell": HeaderNews;
  "data/start": HomeNews;
  "data/start/form": HomeForm;
  "data/start/job": LoopJobNews;
  "data/step": PlayerModel;
  "data/steps": Step[];
  "data/train/curves": CurveNews;
  "data/train/form": TrainForm;
  "data/train/job": JobDetail;
  "data/train/jobs": JobList;
  "data/train/look": LookState;
  "data/train/snapshot": SnapshotReport;
  "data/train/together": JobComparison;
  "data/variables": NamedValue[];
  "data/views": SavedSearch[];
  "do/browse/accept": DecidedBatch;
  "do/browse/count": DecisionCount;
  "do/browse/forget": ViewName;
  "do/browse/queue": QueuedBatch;
  "do/browse/reject": DecidedBatch;
  "do/browse/tag": TaggedBatch;
  "do/browse/view": ViewName;
  "do/compare/cancel": CancelledSides;
  "do/compare/queue": QueuedQuestion;
  "do/compare/queue-cell": QueuedCell;
  "do/compare/vote": StoredVote;
  "do/curate/check": WordingFaults;
  "do/curate/decide": StoredDecision;
  "do/curate/guidelines": GuidelineText;
  "do/curate/hold": HeldQuestions;
  "do/curate/next": ServedQuestions;
  "do/curate/rate": StoredRating;
  "do/curate/release": ReleasedQuestions;
  "do/curate/rollback": StoredRollback;
  "do/curate/settings": Settings;
  "do/curate/snapshot": FrozenSnapshot;
  "do/start/import": LoopJobNews;
  "do/start/resume": LoopJobNews;
  "do/start/run": LoopJobNews;
  "do/start/stop": LoopJobNews;
  "do/step/edit": StoredEdit;
  "do/step/wrong": MarkedStep;
  "do/train/check": Judgement;
  "do/train/delete": Nothing;
  "do/train/look": LookState;
  "do/train/look/end": Nothing;
  "do/train/move": Nothing;
  "do/train/resume": JobState;
  "do/train/start": JobId;
  "do/train/stop": JobState;
  "do/undo": UndoneEvent;
  "upload/compare": ComparePicture;
}

/** What each message of Gradio's queue is, by the name of the call. */
export interface Streams {
  answer: Record<string, (WaitNews | StartNews | TextNews | CodeNews | ProgramNews | StepsNews | BoxesNews | EndNews)[]>;
  decide: DecisionReceipt;
  get_trace: ApiTrace;
  jobs: JobListing[];
  replay: ReplayStart | ReplayProgress | ReplayOutcome;
  search: SearchPage;
  snapshot: SnapshotReceipt;
  train: JobId;
}

/** What the server answers at an address, with or without a query; any where it is not typed. */
export type Reply<Address extends string> = Address extends keyof Replies
  ? Replies[Address]
  : Address extends `${infer Path}?${string}`
    ? Reply<Path>
    : any;

/** What each message of a stream is; any where it is not typed. */
export type Message<Name extends string> = Name extends keyof Streams ? Streams[Name] : any;
