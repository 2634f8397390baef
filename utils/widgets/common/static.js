// Brings the figures of a page to life without a kernel: each gets a model of our own from its
// stored JSON traits.

const modules = {}; // a class's module is imported once, each figure has its own model

function storedModel(traits) {
  const heard = new Map();
  return {
    get: (name) => traits[name],
    set(name, value) {
      traits[name] = value;
      for (const listener of heard.get(`change:${name}`) ?? []) listener();
    },
    on: (event, listener) => {
      heard.set(event, [...(heard.get(event) ?? []), listener]);
    },
    off: (event, listener) => {
      heard.set(
        event,
        (heard.get(event) ?? []).filter((other) => other !== listener),
      );
    },
    save_changes() {}, // nobody to tell
  };
}

function moduleOf(name) {
  const text = document.querySelector(`script[data-module="${name}"]`).textContent;
  // works from file:// too
  return import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
}

for (const box of document.querySelectorAll("[data-figure]")) {
  const stage = document.createElement("div");
  box.append(stage);
  try {
    modules[box.dataset.figure] ??= moduleOf(box.dataset.figure);
    const { default: figure } = await modules[box.dataset.figure];
    await figure.render({
      model: storedModel(JSON.parse(box.querySelector("script").textContent)),
      el: stage,
    });
    box.querySelector("img").hidden = true;
  } catch (error) {
    stage.remove(); // the picture stays
    console.error(error);
  }
}
