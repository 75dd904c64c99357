// ESLint over the explorer's scripts, which are classic scripts that share one global scope.
import js from "@eslint/js";
import globals from "globals";

const OURS = [
  "algebra", "triangle", "problems", "core", "forecast", "degrees", "surface", "numerals", "dates",
  "states", "tour", "python", "signs", "english", "chinese", "words", "dom", "chart", "picture",
  "plots", "race", "valley", "paces", "choices", "models", "actions", "cards", "controls", "view",
  "stores", "players", "inputs", "pointing", "keys",
];

export default [
  js.configs.recommended,
  {
    files: ["src/polydescent/report/explorer/*.js"],
    languageOptions: {
      ecmaVersion: 2023,
      sourceType: "script",
      globals: { ...globals.browser, ...Object.fromEntries(OURS.map((name) => [name, "readonly"])) },
    },
    rules: {
      "no-redeclare": "off",
      "no-unused-vars": ["error", { vars: "local" }],
    },
  },
];
