// Puts a model on the page, whole or only what a step changes. Decides nothing.
"use strict";

const view = (() => {
  const { at, put, make, fill, slide } = dom;
  const { show, count } = numerals;

  // ---- what many controls repeat, made once ----

  function build() {
    for (const place of document.querySelectorAll("[data-radios]")) {
      const { radios, values } = place.dataset;
      place.replaceWith(...values.split(" ").map((pair) => radio(radios, ...pair.split(":"))));
    }
    for (const icon of document.querySelectorAll("svg:not([role])")) {
      icon.setAttribute("viewBox", "0 0 16 16");
      icon.setAttribute("aria-hidden", "true");
    }
    for (const input of document.querySelectorAll("input:not([type])")) input.autocomplete = "off";
  }

  function radio(name, value, word = value) {
    const [label, input, text] = [make("label"), make("input"), make("span")];
    Object.assign(input, { type: "radio", name, value });
    text.dataset.word = word;
    label.append(input, text);
    return label;
  }

  // ---- words ----

  function write(t, language, theme) {
    const root = document.documentElement;
    root.lang = language;
    root.dataset.theme = theme;
    for (const node of document.querySelectorAll("[data-word]")) put(node, t[node.dataset.word]);
    for (const node of document.querySelectorAll("[data-label]")) {
      node.setAttribute("aria-label", t[node.dataset.label]);
    }
    put(at("language"), t.other);
    at("language").setAttribute("aria-label", `${t.otherName} (${t.other})`);
    at("language").lang = language === "en" ? "zh-CN" : "en";
    put(at("theme"), theme === "dark" ? t.toLight : t.toDark);
    at("about").replaceChildren(...t.about.map((text) => make("p", text)));
    const keys = t.keys.flatMap(([key, text]) => [make("dt", key), make("dd", text)]);
    at("keys").replaceChildren(...keys);
  }

  function title({ payload, data, t }) {
    put(at("title"), payload.title || t.untitled);
    document.title = payload.title || t.untitled;
    const shared = payload.sample ? ` ${t.rowsShared(payload.sample[0].length)}` : "";
    put(at("subtitle"), t.subtitle(data.n, payload.triangle.length) + shared);
  }

  // ---- all of it, and one frame of it ----

  // The picture is the one expensive part: drawn again only where something in it changed.
  function samePicture(a, b) {
    const { chosen: was } = a;
    const { chosen: is } = b;
    return (
      a.problem === b.problem && a.rows === b.rows && a.ghost === b.ghost && a.mode === b.mode &&
      was.theme === is.theme && was.language === is.language
    );
  }

  function draw(model, before, drawnBefore, resized) {
    title(model);
    controls.draw(model);
    plots.modesTable(model);
    cards.still(model);
    const kept = !resized && before && samePicture(before, model);
    const drawn = {
      picture: kept ? drawnBefore.picture : picture.draw(model),
      loss: plots.lossChart(model),
      modes: plots.modesChart(model),
    };
    plots.pressMode(model, drawn);
    if (at("table-details").open) cards.trajectory(model);
    put(at("python"), model.python);
    return drawn;
  }

  function frame(model, drawn, state, ghostState) {
    const { t, run } = model;
    slide("scrub", 1000 * core.positionOf(state.step, run.steps), t.stepN(state.step));
    fill("step", String(state.step));
    put(at("loss"), show(state.loss, 7));
    put(at("excess"), show(state.excess));
    at("curves").setAttribute("aria-label", t.pictureLabel(count(state.step), show(state.loss)));
    picture.move(drawn.picture, model, state, ghostState);
    plots.move(drawn, state);
    cards.moving(model, state);
  }

  return Object.freeze({ build, write, draw, frame });
})();
