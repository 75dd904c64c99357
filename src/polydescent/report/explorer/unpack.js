// Inflates the page's own script, whose hash the policy names, and runs it.
"use strict";

(async () => {
  const inflated = async (/** @type {string} */ packed) => {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).text();
  };
  const told = /** @type {HTMLElement} */ (document.getElementById("old"));
  told.hidden = "DecompressionStream" in window;
  if (!told.hidden) return;
  const script = document.createElement("script");
  script.textContent = await inflated(document.getElementById("script")?.textContent ?? "");
  document.body.append(script);
})();
