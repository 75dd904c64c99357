// What is written the same in every language.
"use strict";

/**
 * Texts by name, and functions that make one of what is to be told.
 * @typedef {{[name: string]: string | ((...told: any[]) => string) | string[] | string[][] | Words}} Words
 */

const signs = Object.freeze({
  nesterov: "Nesterov", adam: "Adam", beta1: "β₁", beta2: "β₂", eps: "ε", curvatureHead: "λ",
  walked: "–", atX: "x =", atY: "y =", residualHead: "R w − z", predicted: "ŷ", observed: "y",
  missing: "ŷ − y", aiccHead: "AICc", times: "×",
});
