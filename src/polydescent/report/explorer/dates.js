// An x that is a date: how it is written and read, and which dates an axis names.
"use strict";

/**
 * @typedef {object} Calendar
 * @property {(x: number) => string} text  a date to the precision that the rows need
 * @property {(text: string) => number | undefined} read
 * @property {(lo: number, hi: number, count: number) => [number, string][]} ticks
 * @property {string} unit  "day", … : of x
 * @property {string} origin  the date at x = 0
 */

const dates = (() => {
  const [SECOND, MINUTE, HOUR, DAY] = [1e3, 6e4, 36e5, 864e5];
  const FAR = 8.6e15; // milliseconds from 1970 that a Date reaches

  /** Even steps of milliseconds, and of months. */
  const EVEN = [
    ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
    ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND), ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
    ...[1, 2, 3, 6, 12].map((n) => n * HOUR), ...[1, 2, 4, 7, 14].map((n) => n * DAY),
  ];
  const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000, 60000];

  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");

  /** @param {Date} date  2024-02-01, with a sign and more digits for other millennia */
  const day = (date) => date.toISOString().split("T")[0];

  /** @param {number} ms @param {number} step  what tells two ticks apart */
  function label(ms, step) {
    const date = new Date(ms);
    const clock = `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`;
    if (step >= 360 * DAY) return day(date).replace(/-\d\d-\d\d$/, "");
    if (step >= 28 * DAY) return day(date).replace(/-\d\d$/, "");
    if (step >= DAY) return day(date);
    if (step >= MINUTE) return ms % DAY === 0 ? day(date) : clock;
    const seconds = `${clock}:${pad(date.getUTCSeconds())}`;
    return step >= SECOND ? seconds : `${seconds}.${String(ms % SECOND).padStart(3, "0")}`;
  }

  /** @param {number} lo @param {number} hi  in milliseconds @param {number} count */
  function places(lo, hi, count) {
    const rough = (hi - lo) / count;
    const even = EVEN.find((step) => step >= rough);
    const step = even ?? 30 * DAY * (MONTHS.find((n) => 30 * DAY * n >= rough) ?? 120000);
    const out = /** @type {[number, string][]} */ ([]);
    if (even !== undefined) {
      for (let ms = Math.ceil(lo / step) * step; ms <= hi; ms += step) {
        out.push([ms, label(ms, step)]);
      }
      return out;
    }
    const months = Math.round(step / DAY / 30);
    const first = new Date(lo);
    const from = (first.getUTCFullYear() * 12 + first.getUTCMonth()) / months;
    for (let month = Math.ceil(from) * months; ; month += months) {
      const date = new Date(0);
      date.setUTCFullYear(Math.floor(month / 12), month - 12 * Math.floor(month / 12), 1);
      const ms = date.getTime();
      if (!(ms <= hi)) return out;
      if (ms >= lo) out.push([ms, label(ms, step)]);
    }
  }

  /**
   * Null where x holds numbers, or dates that a browser cannot write.
   * @param {{origin: number, per: number, unit: string} | null | undefined} given  milliseconds:
   * of x = 0 since 1970, and of one unit of x
   * @param {number} lo @param {number} hi @returns {Calendar | null}
   */
  function make(given, lo, hi) {
    if (!given) return null;
    const { origin, per, unit } = given;
    const when = (/** @type {number} */ x) => origin + x * per;
    if (!(Math.abs(when(lo)) < FAR && Math.abs(when(hi)) < FAR && (hi - lo) * per > 20)) return null;
    const span = (hi - lo) * per;
    const whole = span > 40 * DAY ? DAY : span > DAY ? MINUTE : span > MINUTE ? SECOND : 1;
    const text = (/** @type {number} */ x) => {
      const ms = Math.round(when(x) / whole) * whole;
      if (whole === DAY) return day(new Date(ms));
      return new Date(ms).toISOString().replace("T", " ").slice(0, whole === MINUTE ? -8 : whole === SECOND ? -5 : -1);
    };
    const read = (/** @type {string} */ typed) => {
      const iso = typed.trim().replace(" ", "T");
      const ms = Date.parse(/T/.test(iso) && !/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? `${iso}Z` : iso);
      return /^[+-]?\d/.test(iso) && Number.isFinite(ms) ? (ms - origin) / per : undefined;
    };
    return Object.freeze({
      text, read, unit,
      origin: new Date(origin).toISOString().replace("T", " ").replace(/( 00:00:00)?\.000Z$/, ""),
      ticks: (from, to, count) => places(when(from), when(to), count).map(([ms, name]) =>
        /** @type {[number, string]} */ ([(ms - origin) / per, name])),
    });
  }

  return Object.freeze({ make });
})();
