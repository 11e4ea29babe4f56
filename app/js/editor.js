// The program editor of Step: CodeMirror for Python in the page's colours.  `npm run editor`
// bundles it into app/static/codemirror.js, which the page fetches when somebody begins to edit.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { pythonLanguage } from "@codemirror/lang-python";
import { EditorState, RangeSet, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  gutterLineClass,
  GutterMarker,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  showPanel,
  WidgetType,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

const HINT = "Tab indents; Esc, then Tab leaves the text";

const look = EditorView.theme({
  "&": {
    color: "var(--ink)",
    backgroundColor: "var(--card)",
    border: "1px solid var(--strong-line)",
    borderRadius: "8px",
    overflow: "hidden",
    maxHeight: "60vh",
  },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  ".cm-scroller": { font: "0.8125rem/1.6 var(--mono)", overflow: "auto" },
  ".cm-content, .cm-gutter": { minHeight: "260px" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 12px 0 8px" },
  ".cm-content ::selection": { backgroundColor: "var(--accent-wash)" },
  ".cm-gutters": {
    color: "var(--soft)",
    backgroundColor: "var(--sunk)",
    border: "0",
    borderRight: "1px solid var(--line)",
  },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "34px", padding: "0 8px 0 10px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--sunk) 55%, transparent)" },
  ".cm-activeLineGutter": { color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--accent-wash)",
    outline: "1px solid var(--accent)",
  },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--bad-wash)" },
  ".cm-line.cm-failed": {
    backgroundColor: "var(--bad-wash)",
    boxShadow: "inset 3px 0 0 var(--bad)",
  },
  ".cm-gutterElement.cm-failedGutter": {
    color: "var(--bad)",
    backgroundColor: "var(--bad-wash)",
    fontWeight: "700",
  },
  ".cm-problem": {
    font: "0.8125rem/1.45 var(--sans)",
    color: "var(--bad)",
    backgroundColor: "var(--bad-wash)",
    boxShadow: "inset 3px 0 0 var(--bad)",
    padding: "2px 12px 6px 8px",
    overflowWrap: "anywhere",
    whiteSpace: "pre-wrap",
  },
  ".cm-panels": { color: "var(--soft)", backgroundColor: "var(--sunk)" },
  ".cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-hint": { font: "0.75rem/1.5 var(--sans)", padding: "3px 10px" },
});

const colors = syntaxHighlighting(
  HighlightStyle.define([
    { tag: tags.keyword, color: "var(--code-keyword)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
    { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
    { tag: tags.function(tags.variableName), color: "var(--code-name)" },
    { tag: tags.function(tags.definition(tags.variableName)), color: "var(--code-name)" },
    { tag: tags.function(tags.propertyName), color: "var(--code-name)" },
    { tag: tags.className, color: "var(--code-name)" },
    { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  ]),
);

// --- the line that failed

class Problem extends WidgetType {
  constructor(message) {
    super();
    this.message = message;
  }

  eq(other) {
    return other.message === this.message;
  }

  toDOM() {
    const node = document.createElement("div");
    node.className = "cm-problem";
    node.id = "problem";
    node.textContent = this.message;
    return node;
  }
}

class FailedGutter extends GutterMarker {
  elementClass = "cm-failedGutter";
}

const failedGutter = new FailedGutter();
const setProblem = StateEffect.define();

/** Where the problem is: {from, message}; it goes when somebody edits its line. */
const problemField = StateField.define({
  create: () => null,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setProblem)) return effect.value;
    if (!value || !transaction.docChanged) return value;
    const { to } = transaction.startState.doc.lineAt(value.from);
    if (transaction.changes.touchesRange(value.from, to)) return null;
    return { ...value, from: transaction.changes.mapPos(value.from, 1) };
  },
  provide: (field) => [
    EditorView.decorations.compute([field], (state) => decorations(state, state.field(field))),
    gutterLineClass.compute([field], (state) => gutterMark(state.field(field))),
    EditorView.contentAttributes.compute([field], (state) => problemAttributes(state.field(field))),
  ],
});

function decorations(state, problem) {
  if (!problem) return Decoration.none;
  const line = state.doc.lineAt(problem.from);
  const widget = new Problem(problem.message);
  return Decoration.set([
    Decoration.line({ class: "cm-failed" }).range(line.from),
    Decoration.widget({ widget, block: true, side: 1 }).range(line.to),
  ]);
}

const gutterMark = (problem) =>
  problem ? RangeSet.of([failedGutter.range(problem.from)]) : RangeSet.empty;

/** What a screen reader says of the text: how to leave it, and what is wrong. */
const problemAttributes = (problem) =>
  problem
    ? { "aria-invalid": "true", "aria-describedby": "problem hint" }
    : { "aria-describedby": "hint" };

// --- the editor

function hintPanel() {
  const dom = document.createElement("div");
  dom.className = "cm-hint";
  dom.id = "hint";
  dom.textContent = HINT;
  return { dom };
}

/** Keys of an editor: Ctrl Enter runs, Tab indents, Escape and then Tab leaves. */
const keysOf = (onRun) => {
  const run = () => {
    onRun();
    return true;
  };
  return keymap.of([
    { key: "Mod-Enter", run },
    { key: "Ctrl-Enter", run },
    indentWithTab,
    ...historyKeymap,
    ...defaultKeymap,
  ]);
};

/**
 * An editor of a program inside `host`.
 *
 * It lives in a shadow root, where CodeMirror's styles are adopted style sheets: the page's policy
 * refuses style elements, and stays as strict as it is.
 *
 * label    what the text is called
 * onRun    is called by Ctrl Enter
 * Returns  {text, focus, mark, close}: `text()` is the program, `mark(line, message)` shows where
 *          it failed, `close()` lets it go.
 */
export function programEditor(host, text, { label, onRun }) {
  const root = host.attachShadow({ mode: "open" });
  // the page's own keys are letters: none of them may leave the text
  host.addEventListener("keydown", (event) => event.stopPropagation());
  const extensions = [
    lineNumbers(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    history(),
    pythonLanguage,
    indentUnit.of("    "),
    EditorState.tabSize.of(4),
    indentOnInput(),
    bracketMatching(),
    EditorView.lineWrapping,
    colors,
    look,
    problemField,
    showPanel.of(hintPanel),
    keysOf(onRun),
    EditorView.contentAttributes.of({
      "aria-label": label,
      spellcheck: "false",
      autocapitalize: "off",
      autocorrect: "off",
    }),
  ];
  const view = new EditorView({ doc: text, extensions, parent: root, root });
  return {
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    mark(line, message) {
      const { doc } = view.state;
      const { from } = doc.line(Math.min(Math.max(line, 1), doc.lines));
      view.dispatch({
        effects: [
          setProblem.of({ from, message }),
          EditorView.scrollIntoView(from, { y: "center" }),
        ],
        selection: { anchor: from },
      });
    },
    close: () => view.destroy(),
  };
}
