// ESLint over the explorer's scripts: classic scripts that share one global scope, where each file
// puts one name.
"use strict";

const { readdirSync, readFileSync } = require("node:fs");
const js = require("@eslint/js");
const globals = require("globals");

const FOLDER = "src/polydescent/report/explorer";
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".js"))
  .flatMap((file) => readFileSync(`${FOLDER}/${file}`, "utf8").match(/^const (\w+) = /gm) ?? [])
  .map((line) => line.split(" ")[1]);

module.exports = [
  js.configs.recommended,
  {
    files: [`${FOLDER}/*.js`],
    languageOptions: {
      ecmaVersion: 2023,
      sourceType: "script",
      globals: { ...globals.browser, ...Object.fromEntries(names.map((name) => [name, "readonly"])) },
    },
    rules: {
      "no-redeclare": "off", // each name is declared once and known everywhere
      "no-unused-vars": ["error", { vars: "local" }],
    },
  },
];
