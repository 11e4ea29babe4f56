// Rules for every script of the house: pages, widgets, and what stands in this folder.
import js from "@eslint/js";
import globals from "globals";

const MARKUP = "text of models, datasets and users is never markup: build elements with h()";

const ONE_CONDITION = "two conditions in one expression: give one of them a name";

export default [
  { ignores: ["app/static/codemirror.js"] }, // built
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 10],
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      // a text that holds no code may stay in one piece
      "max-len": ["error", { code: 100, ignoreUrls: true, ignoreStrings: true }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-nested-ternary": "error",
      "no-new-func": "error",
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: MARKUP },
        { property: "outerHTML", message: MARKUP },
        { property: "insertAdjacentHTML", message: MARKUP },
        { property: "setHTMLUnsafe", message: MARKUP },
        { property: "createContextualFragment", message: MARKUP },
        { object: "document", property: "write", message: MARKUP },
        { object: "document", property: "writeln", message: MARKUP },
      ],
      "no-restricted-syntax": [
        "error",
        { selector: "ConditionalExpression ConditionalExpression", message: ONE_CONDITION },
        {
          selector: "TemplateLiteral > ConditionalExpression ~ ConditionalExpression",
          message: ONE_CONDITION,
        },
      ],
      "no-script-url": "error",
      "no-shadow": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "one-var": ["error", "never"],
      "prefer-const": "error",
    },
  },
  { files: ["app/js/build.js"], languageOptions: { globals: globals.node } },
];
