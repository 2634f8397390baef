// What every interactive figure shares: elements, fields, dragging, and the loop state -> check ->
// draw -> save.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Set attributes; null or false removes one, "onclick" and the like listen, "text" is the text
 * content.
 */
export function put(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") {
      if (node.textContent !== value) node.textContent = value;
    } else if (value === null || value === false) node.removeAttribute(name);
    else {
      const text = value === true ? "" : String(value);
      // what stays the same costs no redraw
      if (node.getAttribute(name) !== text) node.setAttribute(name, text);
    }
  }
  return node;
}

/** A new HTML element with attributes and children: el("p", {class: "at-quiet"}, "text"). */
export function el(tag, attributes = {}, ...children) {
  const node = put(document.createElement(tag), attributes);
  node.append(...children);
  return node;
}

/** A new SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const node = put(document.createElementNS(SVG, tag), attributes);
  node.append(...children);
  return node;
}

/**
 * remake(key, make) calls make() only when the key, any JSON value, has changed since the last
 * time.
 */
export function onlyWhen() {
  let last = "";
  return (key, make) => {
    const text = JSON.stringify(key);
    if (text !== last) make();
    last = text;
  };
}

/**
 * Text whose "v_c" is written with a lowered c: pieces for append() or replaceChildren(), in HTML.
 */
export const rich = (text) =>
  text.split(/_(\w)/).map((piece, i) => (i % 2 ? el("sub", {}, piece) : piece));

/** The same for an SVG text element. */
export function richSvg(node, text) {
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  node.replaceChildren(
    ...text
      .split(/_(\w)/)
      .map((piece, i) =>
        svg(
          "tspan",
          i % 2 ? { dy: "0.35em", "font-size": "72%" } : { dy: i ? "-0.25em" : 0 },
          piece,
        ),
      ),
  );
}

/** An SVG's size in pixels, whatever the page's style wants. */
export const resize = (node, width, height) =>
  put(node, { style: `width: ${width}px; height: ${height}px` });

/**
 * A number as the lessons print it: fixed digits, a true minus; very small ones in powers of ten.
 */
export function number(x, digits = 3) {
  const small = x !== 0 && Math.abs(x) < 0.5 * 10 ** -digits;
  const text = small ? x.toExponential(1) : x.toFixed(digits);
  return text.replace(/-/g, "\u2212");
}

/** A whole number with its thousands set apart: 20,020. */
export const many = (n) => n.toLocaleString("en");

/** +0.31 or −0.31. */
export const signed = (x, digits = 3) => (x > 0 ? "+" : "") + number(x, digits);

/** The type size in pixels: drawings are laid out in it, so they grow with the reader's type. */
export const emOf = (node) => parseFloat(getComputedStyle(node).fontSize) || 14;

const field = (label, ...inputs) =>
  el("label", { class: "at-field" }, el("span", {}, label), ...inputs);

/** A labelled select: {node, input, set(value)}; options are [value, text] pairs. */
export function choice(label, options, pick) {
  const input = el(
    "select",
    { onchange: () => pick(input.value) },
    ...options.map(([value, text]) => el("option", { value }, text)),
  );
  return {
    node: field(label, input),
    input,
    set: (value) => {
      input.value = value;
    },
  };
}

/** A labelled one-line field that reports on Enter or on leaving: {node, input, set(value)}. */
export function entry(label, attributes, pick) {
  let last = "";
  const give = () => {
    if (input.value !== last) pick(input.value);
  };
  const input = el("input", {
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    ...attributes,
    onchange: give,
    onkeydown: (event) => {
      if (event.key === "Enter") give();
    },
  }); // JupyterLab keeps Enter from being a change
  return {
    node: field(label, input),
    input,
    set: (value) => {
      last = input.value = String(value);
    },
  };
}

/**
 * A labelled slider: {node, input, set(value, text, limits)}; pick(value, done) on every movement,
 * `done` when let go.
 */
export function slider(label, { min, max, step }, pick) {
  const input = el("input", {
    type: "range",
    min,
    max,
    step,
    oninput: () => pick(Number(input.value), false),
    onchange: () => pick(Number(input.value), true),
  });
  const shown = el("span", { class: "at-quiet", "aria-hidden": "true" });
  const node = field(label, el("span", { class: "at-slider" }, input, shown));
  const set = (value, text, limits = {}) => {
    put(input, { ...limits, "aria-valuetext": text });
    input.value = value;
    put(shown, { text });
  };
  return { node, input, set };
}

export const button = (text, press, attributes = {}) =>
  el("button", { type: "button", onclick: press, ...attributes }, text);

/**
 * Follow a pointer from press to release: move(event, done). A press that `start` answers with
 * false is left alone.
 */
export function drag(node, start, move) {
  let held = null;
  const follow = (done) => (event) => {
    if (event.pointerId !== held) return;
    if (done) held = null;
    move(event, done);
  };
  put(node, {
    onpointerdown: (event) => {
      if (event.button !== 0 || start(event) === false) return;
      held = event.pointerId;
      node.setPointerCapture(held);
      event.preventDefault();
    },
    onpointermove: follow(false),
    onpointerup: follow(true),
    onpointercancel: follow(true),
  });
}

/**
 * Arrow keys as steps: keys(event) -> [dx, dy] in steps, ten with Shift or Page keys, or null for
 * another key.
 */
export function arrows(event) {
  const way = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, 1],
    ArrowDown: [0, -1],
    PageUp: [0, 10],
    PageDown: [0, -10],
  }[event.key];
  if (!way || event.ctrlKey || event.altKey || event.metaKey) return null;
  event.preventDefault();
  return event.shiftKey ? way.map((step) => 10 * step) : way;
}

/**
 * The life of a figure. `traits` names the model's traits that make its state; `check(state)` says
 * what is wrong with
 * a state, or nothing; `build(figure)` fills `figure.frame` once and returns `draw(state)`.
 *
 * Every change goes through `figure.change(patch, done)`: a state that does not pass its check is
 * refused in place and
 * the last good one stays; the message stands at the top, or after `place`. Drawing happens once a
 * frame. `done` =
 * false (the middle of a drag) keeps the change here; true hands it to Python too, where there is
 * one.
 * `figure.say(text)` is for screen readers: spoken after a change, when things rest.
 */
export function live({ model, el: root }, { label, traits, check, build }) {
  const alarm = el("p", { class: "at-alert", role: "alert" });
  const spoken = el("p", { class: "at-hidden", role: "status", "aria-live": "polite" });
  const frame = el("section", { class: "at-figure", role: "group", "aria-label": label });
  const read = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  let state = read();
  let waiting = 0;
  let rest = 0;
  let touched = false;
  let draw = null;

  const figure = {
    frame,
    get state() {
      return state;
    },
    refuse(message, place = null) {
      if (place) place.after(alarm);
      else frame.prepend(alarm);
      put(alarm, { text: message });
      figure.redraw(); // fields show the last good state again
    },
    say(text) {
      if (!touched) return;
      clearTimeout(rest);
      rest = setTimeout(() => put(spoken, { text }), 600);
    },
    redraw() {
      if (!waiting && draw) waiting = requestAnimationFrame(paint);
    },
    change(patch, done = true, place = null) {
      const wanted = { ...state, ...patch };
      const problem = check(wanted);
      if (problem) {
        figure.refuse(problem, place);
        return false;
      }
      touched = true;
      state = wanted;
      put(alarm, { text: "" });
      figure.redraw();
      if (done) {
        for (const name of traits)
          if (!same(model.get(name), state[name])) model.set(name, state[name]);
        model.save_changes();
      }
      return true;
    },
  };

  const paint = () => {
    waiting = 0;
    if (frame.clientWidth) return draw(state);
    width = 0; // out of the page or hidden: draw when it is seen again
    sized.unobserve(frame);
    sized.observe(frame);
  };
  const heard = () => {
    // Python, or another view of the same model, changed something
    const given = read();
    if (same(given, state) || check(given)) return;
    state = given;
    put(alarm, { text: "" });
    figure.redraw();
  };
  const wake = () => queueMicrotask(heard); // after all traits of one message have arrived
  const shield = (event) => {
    // JupyterLab leaves plain keys pressed in here alone; Ctrl+S saves
    if (frame.contains(event.target))
      put(event.target, {
        "data-lm-suppress-shortcuts": !event.ctrlKey && !event.metaKey,
      });
  };
  window.addEventListener("keydown", shield, true);
  root.append(frame);
  draw = build(figure);
  frame.prepend(alarm, spoken);
  for (const name of traits) model.on(`change:${name}`, wake);
  let width = 0;
  const sized = new ResizeObserver(() => {
    if (Math.abs(frame.clientWidth - width) < 1) return;
    width = frame.clientWidth;
    figure.redraw();
  });
  sized.observe(frame);
  draw(state);
  return () => {
    sized.disconnect();
    window.removeEventListener("keydown", shield, true);
    clearTimeout(rest);
    cancelAnimationFrame(waiting);
    for (const name of traits) model.off(`change:${name}`, wake);
  };
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
