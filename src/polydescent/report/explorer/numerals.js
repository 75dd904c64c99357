// How numbers are written for reading.
"use strict";

const numerals = (() => {
  const MINUS = "\u2212";
  const dashed = (/** @type {string} */ text) => text.replaceAll("-", MINUS);
  const grouped = (/** @type {string} */ digits) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");

  /**
   * A number for reading: `digits` significant ones, with a power of ten where that is shorter.
   * @param {number} value
   */
  function show(value, digits = 4) {
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e-3 && size < 10 ** Math.max(digits, 6)) return dashed(plain(value, digits));
    return dashed(value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e"));
  }

  /** @param {number} value @param {number} digits */
  function plain(value, digits) {
    const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
    const [whole, fraction = ""] = value.toFixed(Math.min(decimals, 20)).split(".");
    const trimmed = fraction.replace(/0+$/, "");
    return trimmed ? `${grouped(whole)}.${trimmed}` : grouped(whole);
  }

  /**
   * A value with its standard error, to the second digit of that where it is known.
   * @param {number} value @param {number} error
   */
  function uncertain(value, error) {
    if (Number.isNaN(value)) return "";
    if (!(error > 0) || !Number.isFinite(error)) return show(value, 6);
    const power = (/** @type {number} */ size) => Math.floor(Math.log10(size));
    const digits = 2 + power(Math.abs(value) || error) - power(error);
    return `${show(value, Math.min(Math.max(digits, 2), 12))} ± ${show(error, 2)}`;
  }

  /** A factor near 1, by how far it is from it. @param {number} excess  the factor less 1 */
  function times(excess, digits = 3) {
    if (Math.abs(excess) >= 1e-3) return show(1 + excess, digits);
    return excess === 0 ? "1" : `1 ${excess < 0 ? MINUS : "+"} ${show(Math.abs(excess), 2)}`;
  }

  /** @param {number} value */
  const count = (value) => grouped(String(Math.round(value)));

  /**
   * Terms and their sum with the sum's last decimal, so that what is printed adds up.
   * @param {number[]} terms
   */
  function sum(terms, digits = 6) {
    const total = terms.reduce((a, b) => a + b, 0);
    const largest = Math.max(...terms.map(Math.abs));
    if (!Number.isFinite(total)) {
      return { terms: terms.map((value) => show(value)), total: show(total) };
    }
    const power = largest === 0 ? 0 : Math.floor(Math.log10(largest));
    const unit = power >= -3 && power < 9 ? 0 : power;
    const decimals = Math.max(0, digits - 1 - (power - unit));
    const tail = unit === 0 ? "" : `e${unit}`;
    const round = (/** @type {number} */ value) => Number((value * 10 ** -unit).toFixed(decimals));
    const print = (/** @type {number} */ value) => {
      const [whole, fraction] = value.toFixed(decimals).split(".");
      return dashed((fraction ? `${grouped(whole)}.${fraction}` : grouped(whole)) + tail);
    };
    const [whole, rest] = [round(total), terms.slice(1).map(round)];
    const first = rest.reduce((left, value) => left - value, whole);
    return { terms: [first, ...rest].map(print), total: print(whole) };
  }

  /** A number of steps that need not be whole. @param {number} value */
  const steps = (value) => (value < 1e7 ? count(Math.ceil(value)) : show(value, 3));

  /** What a text field shows: short, and typed back it means the same. @param {number} value */
  function field(value, digits = 6) {
    const short = Number(value.toPrecision(Math.min(digits, 17)));
    const size = Math.abs(short);
    return (size < 1e-3 || size >= 1e12) && short !== 0 ? short.toExponential() : String(short);
  }

  /** All digits, as code: never 0.000001. @param {number} value */
  const digits = (value) =>
    value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);

  const digitsIn = (/** @type {string} */ alphabet) => (/** @type {number} */ value) =>
    [...String(value)].map((digit) => (digit === "-" ? "⁻" : alphabet[Number(digit)])).join("");
  const below = digitsIn("₀₁₂₃₄₅₆₇₈₉");
  const above = digitsIn("⁰¹²³⁴⁵⁶⁷⁸⁹");

  /**
   * The lesson's a, b, c, d where it has them; numbered beyond.
   * @param {string} basis @param {number} degree @param {number} j
   */
  const weight = (basis, degree, j) =>
    basis === "power" && degree <= 3 ? "abcd"[j] : `w${below(j)}`;

  /** @param {string} basis @param {number} j */
  function polynomial(basis, j) {
    if (basis !== "power") return (basis === "chebyshev" ? "T" : "P") + below(j);
    return j === 0 ? "1" : j === 1 ? "x" : `x${above(j)}`;
  }

  return Object.freeze({
    MINUS, show, uncertain, times, count, steps, sum, field, digits, above, weight, polynomial,
  });
})();
