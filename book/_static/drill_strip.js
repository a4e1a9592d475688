/* Turns <ol class="casebook-drills"> into a strip with inputs. Without JavaScript each answer stays folded in <details>. */
(function () {
  "use strict";
  const TOLERANCE = 0.1; // mental arithmetic: within 10 % counts

  /** "1/101", "1 %", "$1,200", "3k", "2.5m" -> number, or NaN where nothing can be read. */
  function read(text) {
    const plain = String(text).toLowerCase().replace(/[$€£,\s_]/g, "").replace("−", "-");
    const match = /^(-?[\d.]+(?:e[-+]?\d+)?)(?:\/([\d.]+))?(%|k|m|b|bn)?$/.exec(plain);
    if (!match) return NaN;
    const unit = { "%": 0.01, k: 1e3, m: 1e6, b: 1e9, bn: 1e9 }[match[3]] || 1;
    return (Number(match[1]) / Number(match[2] || 1)) * unit;
  }
  /** True within 10 % of the answer (an answer of 0 must be met exactly). */
  function close(given, answer) {
    return Math.abs(given - answer) <= TOLERANCE * Math.abs(answer) * (1 + 1e-9);
  }
  globalThis.casebookDrills = { read, close };
  if (typeof document === "undefined") return;

  function enhance(list, strip) {
    const items = Array.from(list.children).filter((item) => item.dataset.answer !== undefined);
    const state = new Map();
    const rule = document.createElement("p");
    rule.className = "casebook-drills__rule";
    rule.textContent = "Type an answer and press Enter. Within 10\u00a0% counts; 1/101, 1%, 3k and $1,200 are read.";
    const score = document.createElement("p");
    score.className = "casebook-drills__score";
    score.setAttribute("role", "status");
    score.setAttribute("aria-live", "polite");
    list.before(rule);
    list.after(score);

    items.forEach((item, index) => {
      const question = item.querySelector(".q"), answer = item.querySelector(".a"), folded = item.querySelector("details");
      question.id = question.id || `drill-${strip}-${index}-q`;
      const form = document.createElement("form");
      form.innerHTML = `<input type="text" inputmode="text" autocomplete="off" aria-labelledby="${question.id}">
        <button type="submit">Check</button> <span class="casebook-drills__verdict"></span>`;
      question.after(form);
      const field = form.querySelector("input"), verdict = form.querySelector(".casebook-drills__verdict");
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const given = read(field.value);
        field.setAttribute("aria-invalid", String(Number.isNaN(given)));
        if (Number.isNaN(given)) {
          item.dataset.state = "unread";
          state.delete(item);
          score.textContent = `Drill ${index + 1}: the answer must be a number, got ${field.value.trim() || "nothing"}; type digits, a fraction or a percentage.`;
          verdict.textContent = "not a number";
          return;
        }
        const right = close(given, Number(item.dataset.answer));
        state.set(item, right);
        item.dataset.state = right ? "right" : "wrong";
        verdict.textContent = right ? "right" : "not within 10\u00a0%";
        if (folded) folded.open = true;
        const count = Array.from(state.values()).filter(Boolean).length;
        score.textContent = `Drill ${index + 1} ${right ? "right" : "wrong"}: the answer is ${answer.textContent.trim()}. ${count} of ${items.length} right so far.`;
      });
    });
    score.textContent = `0 of ${items.length} right so far.`;
  }
  function mount() { document.querySelectorAll("ol.casebook-drills:not(:has(form))").forEach(enhance); }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
})();
