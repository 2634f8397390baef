// What the reader chooses in the noise explorer, draws and turns; each part is {node, draw(state,
// view)}.
import {
  button,
  choice,
  el,
  emOf,
  entry,
  number,
  onlyWhen,
  put,
  resize,
  rich,
  slider,
  svg,
} from "../common/base.js";
import { percent } from "./loss.js";
import { MOST_WORDS, REACH, SCALES } from "./math.js";
import { vectorPad } from "../common/vector_pad.js";

const HOME = [1, 0.5]; // the running example's v_c
const HITS = {
  keep: "keep it (15.2.6)",
  skip: "skip it (word2vec)",
  redraw: "draw again (fastText)",
};

/** Which word is positive, how many noise words, which power. */
export function choicesPanel(figure) {
  const { change } = figure;
  const now = () => figure.state;
  const list = el("datalist", { id: `at-${Math.random().toString(36).slice(2)}` });
  const word = entry("positive word", { list: list.id }, (text) =>
    change({ word: text.trim() }, true, above),
  );
  const count = entry("its count", { type: "number", min: 1, step: 1 }, (text) =>
    change(
      {
        counts: now().counts.map((old, i) =>
          now().words[i] !== now().word ? old : text.trim() === "" ? NaN : Number(text),
        ),
      },
      true,
      above,
    ),
  );
  const onHit = choice("a draw that hits it", Object.entries(HITS), (on_hit) =>
    change({ on_hit }, true, above),
  );
  const amount = slider("noise words K", { min: 1, max: MOST_WORDS, step: 1 }, (K, done) =>
    change({ K }, done, above),
  );
  const power = slider("power of the counts", { min: 0, max: 1, step: 0.01 }, (p, done) =>
    change({ power: p }, done),
  );
  const scale = choice(
    "scale",
    SCALES.map((kind) => [kind, kind === "log" ? "logarithmic" : "linear"]),
    (kind) => change({ scale: kind }),
  );
  const above = el("div", { class: "at-row" }, word.node, count.node, onHit.node, scale.node, list);
  const presets = el(
    "span",
    { class: "at-presets" },
    ...[0, 0.75, 1].map((p) =>
      button(String(p), () => change({ power: p }), { "aria-label": `power ${p}` }),
    ),
  );
  const node = el(
    "div",
    {},
    above,
    el("div", { class: "at-row" }, amount.node, power.node, presets),
  );
  power.node.classList.add("at-power");

  function draw(state, { V, o }) {
    if (
      list.children.length !== V ||
      state.words.some((name, i) => list.children[i].value !== name)
    ) {
      list.replaceChildren(...state.words.map((value) => el("option", { value })));
    }
    word.set(state.word);
    count.set(state.counts[o]);
    onHit.set(state.on_hit);
    scale.set(state.scale);
    amount.set(state.K, String(state.K));
    power.set(state.power, number(state.power, 2));
  }

  return { node, draw };
}

/** The line from 0 to 1: each word a piece as wide as q(w), and where the K random numbers fell. */
export function linePanel(figure) {
  const pieces = svg("g");
  const names = svg("g", { class: "at-small", "text-anchor": "middle" });
  const marks = svg("g");
  const drawing = svg("svg", { role: "img" }, pieces, names, marks);
  const drawn = el("p", { class: "at-drawn" });
  const more = (n) => figure.change({ before: figure.state.before + n }, true, row);
  const some = button("", () => more(figure.state.K));
  const lots = button("draw 1,000 more", () => more(1000));
  const again = button("start again with other random numbers", () =>
    figure.change({ before: 0, seed: (figure.state.seed + 1) % 2 ** 31 }, true, row),
  );
  const row = el("div", { class: "at-row" }, some, lots, again);
  const place = el("div", {}, drawing);
  const remake = onlyWhen();
  const node = el(
    "div",
    { class: "at-line" },
    row,
    drawn,
    place,
    el(
      "p",
      { class: "at-quiet" },
      "Each word’s piece of the line is as wide as q(w); a random number draws the word on whose piece it falls. " +
        "Change the power, and the same numbers fall on other words.",
    ),
  );

  function draw(state, { V, o, q, ends, draws }) {
    const em = emOf(place);
    const width = place.clientWidth || 40 * em;
    const top = 1.1 * em;
    const tall = 1.8 * em;
    resize(drawing, width, top + tall + 0.3 * em);
    while (pieces.children.length > V) {
      pieces.lastChild.remove();
      names.lastChild.remove();
    }
    while (pieces.children.length < V) {
      pieces.append(svg("rect"));
      names.append(svg("text"));
    }
    ends.forEach((end, w) => {
      const from = w ? ends[w - 1] : 0;
      const room = (end - from) * width;
      const word = state.words[w];
      put(pieces.children[w], {
        x: from * width,
        y: top,
        width: room,
        height: tall,
        class: w === o ? "at-piece at-lit" : w % 2 ? "at-piece at-odd" : "at-piece",
      });
      put(names.children[w], {
        x: ((from + end) / 2) * width,
        y: top + tall / 2 + 0.3 * em,
        "font-weight": w === o ? 700 : 400,
        text: word.length * 0.6 * em < room ? word : "",
      });
    });
    remake([draws, state.on_hit, state.words, em, width], () => tell(state, draws, em, width, top));
    put(some, { text: `draw ${state.K} more` });
    put(drawing, {
      "aria-label": `${state.K} random numbers fell on ${draws
        .map((d) => state.words[d.first])
        .join(", ")}; the piece of ${state.word} is ${percent(q[o])} of the line`,
    });
  }

  function tell(state, draws, em, width, top) {
    marks.replaceChildren(
      ...draws.map(({ u, hit }) =>
        svg("path", {
          class: hit ? "at-mark at-hits" : "at-mark",
          "data-u": u,
          d: `M${u * width} ${top + 0.5 * em}l${-0.42 * em} ${-1.1 * em}h${0.84 * em}Z`,
        }),
      ),
    );
    drawn.replaceChildren(
      el("span", { class: "at-head" }, `K = ${state.K} drawn: `),
      ...draws.flatMap((d, k) => [
        k ? " · " : "",
        d.hit
          ? el(
              "strong",
              { class: "at-hit-word" },
              `◆ ${state.words[d.first]}, a hit` +
                { keep: "", skip: ", skipped", redraw: `, then ${state.words[d.word]}` }[
                  state.on_hit
                ],
            )
          : state.words[d.word],
      ]),
    );
  }

  return { node, draw };
}

/** The plane of the hidden vector. */
export function hiddenPanel(figure) {
  const move = (hidden, done) => figure.change({ hidden }, done);
  const pad = vectorPad({
    label: "hidden vector v c, moved by the arrow keys",
    reach: REACH,
    move,
    now: () => figure.state.hidden,
  });
  const shown = el("output");
  const node = el(
    "div",
    { class: "at-vector" },
    el("p", { class: "at-head" }, "hidden vector ", shown),
    el("div", { class: "at-pad" }, pad.node),
    el(
      "div",
      { class: "at-row" },
      button("as in the lessons", () => move(HOME, true)),
      button("zero", () => move([0, 0], true)),
    ),
  );

  function draw(state, { draws, o }) {
    const lit = new Set([o, ...draws.map(({ word }) => word)]);
    const name = (w) => (w !== o && lit.size > 6 ? "" : state.words[w].slice(0, 8));
    pad.draw({
      hidden: state.hidden,
      vectors: state.words
        .map((_, w) => ({ vector: state.vectors[w], name: name(w), lit: lit.has(w) }))
        .sort((a, b) => a.lit - b.lit),
    });
    shown.replaceChildren(...rich(`v_c = (${state.hidden.map((c) => number(c, 2)).join(", ")})`));
  }

  return { node, draw };
}
