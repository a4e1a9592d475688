/* Threshold calculator: the maths first (no DOM), then the page. Same numbers as casebook.decisions.operating_point. */
(function () {
  "use strict";

  // ---- maths -------------------------------------------------------------------------------------------------
  /** Complementary error function; relative error below 1e-13 in both tails (series near 0, continued fraction beyond). */
  function erfc(x) {
    if (x < 0) return 2 - erfc(-x);
    if (x < 1.5) {
      let term = x, sum = x;
      for (let n = 1; term > sum * 1e-17; n++) sum += term *= (2 * x * x) / (2 * n + 1);
      return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
    }
    let fraction = x;
    for (let k = 150; k >= 1; k--) fraction = x + k / 2 / fraction;
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
  }
  /** Share of a standard normal above z. */
  const above = (z) => 0.5 * erfc(z / Math.SQRT2);
  /** z with P(Z > z) = tail, for tail in (0, 0.5]: Newton from 0 climbs to the root from one side, as the cdf is concave there. */
  function upperQuantile(tail) {
    let z = 0;
    for (let i = 0; i < 100; i++) {
      const step = (above(z) - tail) * Math.sqrt(2 * Math.PI) * Math.exp(0.5 * z * z);
      z += step;
      if (Math.abs(step) < 1e-15 * (1 + z)) break;
    }
    return z;
  }

  const FIELDS = {
    costFp: { label: "Cost of a false positive ($)", key: "fp", what: "The false-positive cost", must: "a number above 0",
      mend: "enter what one needless action costs", ok: (v) => v > 0 && v < Infinity,
      toSlider: Math.log10, fromSlider: (s) => 10 ** s, min: -2, max: 6, step: 0.01 },
    costFn: { label: "Cost of a false negative ($)", key: "fn", what: "The false-negative cost", must: "a number above 0",
      mend: "enter what one missed case costs", ok: (v) => v > 0 && v < Infinity,
      toSlider: Math.log10, fromSlider: (s) => 10 ** s, min: -2, max: 6, step: 0.01 },
    baseRate: { label: "Base rate (%)", key: "base", what: "The base rate",
      must: "above 0 and below 100 %", mend: "enter the share of cases that are positive", ok: (v) => v > 0 && v < 100,
      toSlider: (v) => Math.log(v / (100 - v)), fromSlider: (s) => 100 / (1 + Math.exp(-s)), min: -9.2, max: 5, step: 0.02 },
    auc: { label: "Model quality (AUC)", key: "auc", what: "The AUC", must: "from 0.5 to 0.999",
      mend: "below 0.5 flip the score's sign, above 0.999 look for a leak", ok: (v) => v >= 0.5 && v <= 0.999,
      toSlider: Number, fromSlider: Number, min: 0.5, max: 0.999, step: 0.001 },
  };

  /** The sentence that refuses `text` in a field, or "" where it is usable. Base rate in per cent. */
  function problem(name, text) {
    const field = FIELDS[name], value = Number(text), empty = String(text).trim() === "";
    if (!empty && field.ok(value)) return "";
    return `${field.what} must be ${field.must}, got ${empty ? "nothing" : text}; ${field.mend}.`;
  }

  /** Binormal, calibrated model at one threshold (default: cost-weighted). baseRate is a share; costs are $ per 1,000 cases. */
  function operatingPoint({ costFp, costFn, baseRate, auc, threshold }) {
    const given = { costFp, costFn, baseRate: 100 * baseRate, auc };
    for (const name of Object.keys(given)) {
      const sentence = problem(name, given[name]);
      if (sentence) throw new RangeError(sentence);
    }
    const best = costFp / (costFp + costFn);
    const t = threshold === undefined || threshold === null ? best : threshold;
    if (!(t >= 0 && t <= 1)) throw new RangeError(`The threshold must be from 0 to 1, got ${t}; divide percentages by 100.`);
    const d = Math.SQRT2 * upperQuantile(1 - auc);
    const at = (cut) => {
      let score; // act above this score; d = 0 leaves one posterior, the base rate, for everybody
      if (d === 0) score = baseRate > cut ? -Infinity : Infinity;
      else score = d / 2 + (Math.log((1 - baseRate) / baseRate) + Math.log(cut / (1 - cut))) / d;
      const recall = above(score - d), missed = above(d - score), fpr = above(score);
      return { recall, fpr, cost: 1000 * ((1 - baseRate) * fpr * costFp + baseRate * missed * costFn) };
    };
    const here = at(t), acted = baseRate * here.recall + (1 - baseRate) * here.fpr;
    return {
      threshold: t, precision: acted > 0 ? (baseRate * here.recall) / acted : null, recall: here.recall, fpr: here.fpr,
      actedPer1000: 1000 * acted, costPer1000: here.cost, costAtHalf: at(0.5).cost,
      costNothing: 1000 * baseRate * costFn, costAll: 1000 * (1 - baseRate) * costFp,
    };
  }
  globalThis.casebookCalculator = { operatingPoint, problem, erfc, upperQuantile };
  if (typeof document === "undefined") return;

  // ---- page --------------------------------------------------------------------------------------------------
  // Ratios are the source's table; dollar amounts, base rates and AUCs are examples. [label, fp, fn, base %, auc]
  const PRESETS = {
    fraud: ["Fraud detection, 100:1 (a miss is dearer)", 5, 500, 0.2, 0.95],
    disease10: ["Disease diagnosis, 10:1 (a miss is dearer)", 200, 2000, 5, 0.85],
    disease1000: ["Disease diagnosis, 1000:1 (a miss is dearer)", 200, 200000, 0.5, 0.9],
    spam: ["Spam filter, 10:1 (a false alarm is dearer)", 1, 0.1, 45, 0.98],
    loan: ["Loan approval, depends on segment (here 8:1; act = fund)", 8000, 1000, 92, 0.75],
    ads: ["Ad targeting, 1:1", 0.01, 0.01, 3, 0.75],
    moderation: ["Content moderation, depends on policy (here 1:5)", 2, 10, 1, 0.92],
  };
  const money = (v) => {
    const decimals = Math.abs(v) >= 0.005 && Math.abs(v) < 100 ? 2 : 0;
    return (v <= -0.005 ? "−$" : "$") + Math.abs(v).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  };
  const digits = (v) => Number(v.toPrecision(3)).toString();
  const percent = (v) => (v === null ? "none (nothing acted on)" : digits(100 * v) + "\u00a0%");
  const logit = (t) => Math.log(t / (1 - t));

  function curve(inputs, result, width) {
    const height = 250, left = 62, right = 14, top = 46, bottom = 44;
    const low = Math.min(-9.3, logit(result.threshold) - 1), high = Math.max(9.3, logit(result.threshold) + 1);
    const points = Array.from({ length: 241 }, (_, i) => {
      const threshold = 1 / (1 + Math.exp(-(low + ((high - low) * i) / 240)));
      return [threshold, operatingPoint({ ...inputs, threshold }).costPer1000];
    });
    const most = Math.max(...points.map((p) => p[1]), result.costAtHalf) * 1.04;
    const x = (t) => left + ((logit(t) - low) / (high - low)) * (width - left - right);
    const y = (v) => top + (1 - v / most) * (height - top - bottom);
    const ticks = (width < 480 ? [0.001, 0.1, 0.9, 0.999] : [0.001, 0.01, 0.1, 0.9, 0.99, 0.999])
      .map((t) => `<text x="${x(t)}" y="${height - bottom + 18}" text-anchor="middle">${t}</text>`).join("");
    const levels = [0, most / 2 / 1.04, most / 1.04]
      .map((v) => `<text x="${left - 8}" y="${y(v) + 4}" text-anchor="end">${money(Number(v.toPrecision(2)))}</text>`).join("");
    const mark = (t, cost, name, label, row, shape, leftwards) => {
      const side = leftwards ? ["end", -5] : ["start", 5];
      return `<g class="${name}"><path d="M${x(t)} ${row - 10}V${height - bottom}" stroke="currentColor" stroke-dasharray="4 3"/>${shape(x(t), y(cost))}
        <text x="${x(t) + side[1]}" y="${row}" text-anchor="${side[0]}">${label}</text></g>`;
    };
    const gap = result.costAtHalf - result.costPer1000;
    return `<svg role="img" aria-labelledby="cc-t cc-d" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
      <title id="cc-t">Money lost per 1,000 cases by threshold</title>
      <desc id="cc-d">Line on a log-odds axis. At p* = ${digits(result.threshold)} it is ${money(result.costPer1000)}; at 0.5 it is ${money(result.costAtHalf)}, ${money(gap)} more.</desc>
      <path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="currentColor" opacity=".6"/>
      <path class="cc-line" d="M${points.map((p) => x(p[0]).toFixed(1) + " " + y(p[1]).toFixed(1)).join("L")}" fill="none" stroke="currentColor" stroke-width="2"/>
      ${mark(0.5, result.costAtHalf, "cc-half", `0.5: ${money(result.costAtHalf)}`, 34, (a, b) => `<rect x="${a - 5}" y="${b - 5}" width="10" height="10" fill="currentColor"/>`, result.threshold > 0.5)}
      ${mark(result.threshold, result.costPer1000, "cc-best", `p* ${digits(result.threshold)}: ${money(result.costPer1000)}`, 14, (a, b) => `<circle cx="${a}" cy="${b}" r="6" fill="currentColor"/>`, x(result.threshold) > width / 2)}
      <g fill="currentColor">${ticks}${levels}<text x="${(left + width) / 2}" y="${height - 6}" text-anchor="middle">threshold (log-odds scale)</text></g></svg>`;
  }

  function start(root) {
    const rows = Object.entries(FIELDS).map(([name, f]) => `<div class="cc-field"><label for="cc-${name}">${f.label}</label>
      <input id="cc-${name}" type="number" step="any" inputmode="decimal" aria-describedby="cc-${name}-error">
      <input id="cc-${name}-slider" type="range" min="${f.min}" max="${f.max}" step="${f.step}" aria-label="${f.label}, slider">
      <p class="cc-error" id="cc-${name}-error" hidden></p></div>`).join("");
    root.innerHTML = `<form class="cc-form" novalidate><div class="cc-field cc-preset"><label for="cc-preset">Start from a use case</label>
      <select id="cc-preset">${Object.entries(PRESETS).map(([k, p]) => `<option value="${k}">${p[0]}</option>`).join("")}
      <option value="own">Your own numbers</option></select></div>${rows}</form>
      <div class="cc-results"></div><p class="cc-status" role="status" aria-live="polite"></p><div class="cc-curve"></div>`;
    const $ = (selector) => root.querySelector(selector);
    const input = (name) => $(`#cc-${name}`), slider = (name) => $(`#cc-${name}-slider`);
    const names = Object.keys(FIELDS);

    function render() {
      const bad = names.filter((name) => {
        const sentence = problem(name, input(name).value), note = $(`#cc-${name}-error`);
        note.textContent = sentence;
        note.hidden = !sentence;
        input(name).setAttribute("aria-invalid", String(Boolean(sentence)));
        if (!sentence) slider(name).value = FIELDS[name].toSlider(Number(input(name).value));
        slider(name).setAttribute("aria-valuetext", input(name).value || "nothing");
        return sentence;
      });
      if (bad.length) {
        $(".cc-results").innerHTML = $(".cc-curve").innerHTML = "";
        $(".cc-status").textContent = "No result. " + problem(bad[0], input(bad[0]).value);
        return;
      }
      const inputs = Object.fromEntries(names.map((name) => [name, Number(input(name).value)]));
      inputs.baseRate /= 100;
      const r = operatingPoint(inputs);
      const facts = [["Threshold p*", digits(r.threshold)], ["Precision", percent(r.precision)], ["Recall", percent(r.recall)], ["Share acted on", percent(r.actedPer1000 / 1000)]];
      const costs = [["Act above p*", r.costPer1000], ["Act above 0.5", r.costAtHalf], ["Do nothing", r.costNothing], ["Act on all", r.costAll]];
      $(".cc-results").innerHTML = `<dl>${facts.map(([k, v]) => `<div><dt>${k}</dt><dd>${v}</dd></div>`).join("")}</dl>
        <table><caption>Money lost per 1,000 cases</caption><thead><tr><th scope="col">Policy</th><th scope="col">Lost</th><th scope="col">More than at p*</th></tr></thead>
        <tbody>${costs.map(([k, v]) => `<tr><th scope="row">${k}</th><td>${money(v)}</td><td>${k === "Act above p*" ? "–" : money(v - r.costPer1000)}</td></tr>`).join("")}</tbody></table>`;
      $(".cc-status").textContent = `Act above p* = ${digits(r.threshold)}: ${money(r.costPer1000)} lost per 1,000 cases; at 0.5 ${money(r.costAtHalf)}, doing nothing ${money(r.costNothing)}, acting on all ${money(r.costAll)}.`;
      $(".cc-curve").innerHTML = curve(inputs, r, Math.max(280, Math.min(680, root.clientWidth - 34)));
    }
    function fill(values) { names.forEach((name, i) => { input(name).value = values[i]; }); render(); }
    function readHash() {
      const given = new URLSearchParams(location.hash.slice(1));
      if (names.some((name) => given.has(FIELDS[name].key))) fill(names.map((name, i) => given.get(FIELDS[name].key) ?? PRESETS.fraud[i + 1]));
      const match = Object.keys(PRESETS).find((k) => names.every((name, i) => Number(input(name).value) === PRESETS[k][i + 1]));
      $("#cc-preset").value = match || "own";
    }
    function changed() {
      $("#cc-preset").value = "own";
      render();
      writeHash();
    }
    function writeHash() {
      const state = new URLSearchParams(names.map((name) => [FIELDS[name].key, input(name).value]));
      history.replaceState(null, "", "#" + state);
    }
    names.forEach((name) => {
      input(name).addEventListener("input", changed);
      slider(name).addEventListener("input", () => { input(name).value = digits(FIELDS[name].fromSlider(Number(slider(name).value))); changed(); });
    });
    $("#cc-preset").addEventListener("change", (event) => { if (event.target.value !== "own") { fill(PRESETS[event.target.value].slice(1)); writeHash(); } });
    $("form").addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("hashchange", readHash);
    let width = root.clientWidth; // phones fire resize on scroll: draw again only where the width changed
    window.addEventListener("resize", () => { if (root.clientWidth !== width) { width = root.clientWidth; render(); } });
    fill(PRESETS.fraud.slice(1));
    readHash();
  }
  function mount() { const root = document.getElementById("casebook-calculator"); if (root && !root.querySelector("form")) start(root); }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
})();
