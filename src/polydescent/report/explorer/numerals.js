// How numbers are written for reading.
"use strict";

const numerals = (() => {
  const MINUS = "\u2212";
  const dashed = (text) => text.replaceAll("-", MINUS);
  const grouped = (digits) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, ",");

  // A number for reading: `digits` significant ones, with a power of ten where that is shorter.
  function show(value, digits = 4) {
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e-3 && size < 10 ** Math.max(digits, 6)) return dashed(plain(value, digits));
    return dashed(value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e"));
  }

  function plain(value, digits) {
    const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
    const [whole, fraction = ""] = value.toFixed(Math.min(decimals, 20)).split(".");
    const trimmed = fraction.replace(/0+$/, "");
    return trimmed ? `${grouped(whole)}.${trimmed}` : grouped(whole);
  }

  // A value with its standard error, to the second digit of that where it is known.
  function uncertain(value, error) {
    if (Number.isNaN(value)) return "";
    if (!(error > 0) || !Number.isFinite(error)) return show(value, 6);
    const power = (size) => Math.floor(Math.log10(size));
    const digits = 2 + power(Math.abs(value) || error) - power(error);
    return `${show(value, Math.min(Math.max(digits, 2), 12))} ± ${show(error, 2)}`;
  }

  const count = (value) => grouped(String(Math.round(value)));

  // Terms and their sum with the sum's last decimal, so that what is printed adds up.
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
    const round = (value) => Number((value * 10 ** -unit).toFixed(decimals));
    const print = (value) => {
      const [whole, fraction] = value.toFixed(decimals).split(".");
      return dashed((fraction ? `${grouped(whole)}.${fraction}` : grouped(whole)) + tail);
    };
    const [whole, rest] = [round(total), terms.slice(1).map(round)];
    const first = rest.reduce((left, value) => left - value, whole);
    return { terms: [first, ...rest].map(print), total: print(whole) };
  }

  // A number of steps that need not be whole.
  const steps = (value) => (value < 1e7 ? count(Math.ceil(value)) : show(value, 3));

  // What a text field shows: short, and typed back it means the same.
  function field(value, digits = 6) {
    const short = Number(value.toPrecision(Math.min(digits, 17)));
    return Math.abs(short) < 1e-3 && short !== 0 ? short.toExponential() : String(short);
  }

  const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const digitsIn = (alphabet) => (value) =>
    [...String(value)].map((digit) => (digit === "-" ? "⁻" : alphabet[digit])).join("");
  const below = digitsIn(SUBSCRIPTS);
  const above = digitsIn(SUPERSCRIPTS);

  // The lesson's a, b, c, d where it has them; numbered beyond.
  const weight = (basis, degree, j) =>
    basis === "power" && degree <= 3 ? "abcd"[j] : `w${below(j)}`;

  function polynomial(basis, j) {
    if (basis !== "power") return (basis === "chebyshev" ? "T" : "P") + below(j);
    return j === 0 ? "1" : j === 1 ? "x" : `x${above(j)}`;
  }

  return Object.freeze({ MINUS, show, uncertain, count, steps, sum, field, above, weight, polynomial });
})();
