// What ESLint finds beyond the types: see .pre-commit-config.yaml.
const js = require("@eslint/js");
const globals = require("globals");

module.exports = [
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-implicit-globals": "error",
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Make nodes: see chatkit_app/client/element/dom.js." },
        { property: "outerHTML", message: "Make nodes: see chatkit_app/client/element/dom.js." },
        { property: "insertAdjacentHTML", message: "Make nodes: see chatkit_app/client/element/dom.js." },
      ],
      // What hides in a text is looked for on purpose.
      "no-control-regex": "off",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "none" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  { files: ["bundle/*.js", "tests/client/**/*.js"], languageOptions: { globals: globals.node } },
  { files: ["tests/js/*.config.js"], languageOptions: { sourceType: "commonjs", globals: globals.node } },
];
