// The languages of the page.
"use strict";

/** @type {Readonly<Record<string, any>>} */
const words = Object.freeze({ en: english, "zh-CN": chinese });
