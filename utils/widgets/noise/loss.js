// What the draws cost and how often they hit: two parts of the noise explorer, each {node,
// draw(state, view)}.
import { el, emOf, many, number, put, resize, rich, signed, svg } from "../common/base.js";

export const percent = (x) => `${number(100 * x, x < 0.0995 ? 2 : 1)} %`;
/** A word, cut off where it is long. */
export const brief = (word) => (word.length > 12 ? `${word.slice(0, 11)}…` : word);

/** The loss as a stack of its K + 1 terms, and one row a term. */
export function lossPanel() {
  const heads = ["", "word", "answer", "x", "σ(±x)", "−log σ(±x)", ""];
  const bars = svg("g");
  const average = svg("line", { class: "at-average" });
  const mean = svg("line", { class: "at-mean" });
  const stack = svg("svg", { role: "img" }, bars, average, mean);
  const place = el("div", {}, stack);
  const body = el("tbody");
  const result = el("output", { class: "at-loss" });
  const told = el("p");
  const table = el(
    "div",
    {
      class: "at-scroll at-terms",
      tabindex: "0",
      role: "region",
      "aria-label": "the loss, term by term",
    },
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ...heads.map((text) => el(text ? "th" : "td", text ? { scope: "col" } : {}, text)),
        ),
      ),
      body,
    ),
  );
  const node = el(
    "div",
    {},
    el("p", { class: "at-head" }, "the loss of 15.2.6, term by term"),
    place,
    el("p", {}, result),
    told,
    table,
    el(
      "p",
      { class: "at-quiet" },
      ...rich(
        "x = u_w · v_c is the score. The " +
          "positive word should get a yes: −log\u00a0σ(x). A noise word should get a no: −log\u00a0σ(−x).",
      ),
    ),
  );

  function draw(state, { terms, loss, expectedLoss, meanLoss, N }) {
    const em = emOf(place);
    const width = place.clientWidth || 30 * em;
    const tall = 2 * em;
    const { K } = state;
    const unit = width / (1.05 * Math.max(loss, expectedLoss, meanLoss));
    const most = Math.max(...terms.map((t) => t.loss));
    const kind = (term) => (term.sign > 0 ? " at-yes" : term.hit ? " at-hits" : "");
    let x = 0;
    resize(stack, width, tall + 1.1 * em);
    bars.replaceChildren(
      ...terms
        .filter(({ asked }) => asked)
        .flatMap((term) => {
          const wide = unit * term.loss;
          const word = brief(state.words[term.id]);
          const middle = x + wide / 2;
          const bar = svg("rect", {
            class: `at-term${kind(term)}`,
            x,
            y: 0.5 * em,
            width: wide,
            height: tall,
          });
          x += wide;
          return word.length * 0.62 * em < wide
            ? [
                bar,
                svg(
                  "text",
                  {
                    class: "at-small at-halo",
                    "text-anchor": "middle",
                    x: middle,
                    y: 0.5 * em + tall / 2 + 0.3 * em,
                  },
                  word,
                ),
              ]
            : [bar];
        }),
    );
    put(average, { x1: unit * expectedLoss, x2: unit * expectedLoss, y1: 0, y2: tall + em });
    put(mean, { x1: unit * meanLoss, x2: unit * meanLoss, y1: 0, y2: tall + em });
    put(stack, { "aria-label": `the loss, ${number(loss)} nats, as a stack of ${K + 1} terms` });
    while (body.children.length > terms.length) body.lastChild.remove();
    while (body.children.length < terms.length) {
      body.append(
        el(
          "tr",
          {},
          ...heads.slice(1).map(() => el("td")),
          el("td", {}, el("span", { class: "at-meter" })),
        ),
      );
    }
    terms.forEach((term, k) => {
      const row = body.children[k];
      const [name, word, answer, score, right, nats, bar] = row.children;
      put(row, { "data-loss": term.loss, "data-score": term.score, "data-id": term.id });
      put(name, { text: k ? String(k) : "+" });
      put(word, { text: brief(state.words[term.id]) + (term.hit ? " ◆" : "") });
      put(answer, { text: term.asked ? (k ? "no" : "yes") : "skipped" });
      put(score, { text: signed(term.score) });
      put(right, { text: term.asked ? number(term.right) : "" });
      put(nats, { text: term.asked ? number(term.loss) : "" });
      put(bar.firstChild, {
        class: `at-meter${kind(term)}`,
        style: `width: ${(100 * term.loss) / most}%`,
      });
    });
    put(result, {
      "data-value": loss,
      "data-expected": expectedLoss,
      "data-mean": meanLoss,
      text: `loss = ${number(loss, 4)} nats, the sum of K + 1 = ${K + 1} terms (15.2.6)`,
    });
    put(told, {
      text:
        `On average over all draws ${number(expectedLoss, 4)} (thick line); the mean of the ${many(N)} ` +
        `draws so far gives ${number(meanLoss, 4)} (dashed).`,
    });
  }

  return { node, draw };
}

/** How often draws hit the positive. */
export function hitsPanel() {
  const rows = ["at-chance", "at-seen"].map((kind) => ({
    name: el("span"),
    bar: el("span", { class: `at-meter ${kind}` }),
    value: el("output", { class: `${kind}-value` }),
  }));
  const head = el("p", { class: "at-head" });
  const each = el("p", { class: "at-hits-told" });
  const node = el(
    "div",
    {},
    head,
    el(
      "div",
      { class: "at-meters" },
      ...rows.flatMap(({ name, bar, value }) => [name, el("span", {}, bar), value]),
    ),
    each,
  );

  function draw(state, { N, o, q, hits, rounds, hitRounds, chance }) {
    const values = [chance, hitRounds / rounds];
    const few = rounds > 1 ? "rounds" : "round";
    put(head, { text: `hits on ${state.word}` });
    put(rows[0].name, {
      text: `chance of a hit in K = ${state.K}: 1 − (1 − q)${state.K > 1 ? "ᴷ" : ""}`,
    });
    put(rows[1].name, { text: `${many(hitRounds)} of ${many(rounds)} ${few} of K with a hit` });
    rows.forEach(({ bar, value }, i) => {
      bar.style.width = `${100 * values[i]}%`;
      put(value, { text: percent(values[i]), "data-value": values[i] });
    });
    put(each, {
      "data-value": hits,
      text:
        `Draw by draw: ${many(hits)} of ${many(N)} hit (${percent(hits / N)}); ` +
        `expected: ${number(N * q[o], 1)} (q = ${percent(q[o])}).`,
    });
  }

  return { node, draw };
}
