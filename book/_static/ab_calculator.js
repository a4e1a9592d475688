/* A/B test calculator: the page around ab_maths.js. Everything that a reader types is in per cent; nothing is sent. */
(function () {
  "use strict";
  if (typeof document === "undefined") return;
  const { sampleSize, sampleSizeMean, mde, mdeMean, duration, srm, twoDigits } = globalThis.casebookAb;
  const ARMS = ["Control", "Treatment", "Third arm"], SPOKEN = ["control", "treatment", "the third arm"];
  const LEVELS = [0.01, 0.001];

  // ---- fields --------------------------------------------------------------------------------------------------
  const finite = (v) => Number.isFinite(v), above = (v) => v > 0 && finite(v), whole = (v) => v >= 0 && Number.isSafeInteger(v);
  const field = (part, label, what, must, mend, ok, when) => ({ part, label, what, must, mend, ok, when });
  const choice = (part, label, options) => ({ part, label, options });
  const isRate = (s) => s.kind === "rate", isMean = (s) => s.kind === "mean", hasThird = (s) => s.arms === "3";
  const share = (i) => field("arms", `${ARMS[i]}, share (%)`, `The share of ${SPOKEN[i]}`,
    "above 0 and below 100 %", "enter the part of the test's users that the plan gives to it", (v) => v > 0 && v < 100, i === 2 && hasThird);
  const count = (i) => field("srm", `Users in ${SPOKEN[i]}`, `The count of ${SPOKEN[i]}`,
    "a whole number, 0 or more", "enter how many users were assigned to it", whole, i === 2 && hasThird);
  const FIELDS = {
    arms: choice("arms", "Number of arms", { 2: "Two", 3: "Three" }),
    s0: share(0), s1: share(1), s2: share(2),
    kind: choice("size", "What you measure", { rate: "A rate", mean: "A mean" }),
    base: field("size", "Base rate (%)", "The base rate", "above 0 and below 100 %", "enter the rate of control",
      (v) => v > 0 && v < 100, isRate),
    sd: field("size", "Standard deviation", "The standard deviation", "above 0", "enter that of one user's outcome", above, isMean),
    unit: choice("size", "Change given as", { absolute: "Absolute", relative: "Relative (%)" }),
    mean: field("size", "Mean of control", "The mean", "a number above 0", "give the change as absolute if there is none",
      above, (s) => isMean(s) && s.unit === "relative"),
    effect: field("size", "Smallest change worth seeing", "The change", "a number other than 0",
      "name the smallest that would alter the decision", (v) => v !== 0 && finite(v)),
    alpha: field("size", "Alpha, two-sided (%)", "Alpha", "from 0.0001 to 50 %", "take 5 or 1", (v) => v >= 1e-4 && v <= 50),
    power: field("size", "Power (%)", "The power", "at least 50 and below 100 %", "ask for 80 or 90", (v) => v >= 50 && v < 100),
    users: field("mde", "Users, all arms", "The number of users", "above 0", "enter how many the test will have", above),
    day: field("time", "New users a day", "The number of new users a day", "above 0", "count each user on the first day only", above),
    part: field("time", "Share in the test (%)", "The share in the test", "above 0 and at most 100 %",
      "enter 100 if all take part", (v) => v > 0 && v <= 100),
    c0: count(0), c1: count(1), c2: count(2),
  };
  const NAMES = Object.keys(FIELDS), TYPED = NAMES.filter((name) => !FIELDS[name].options);
  const PARTS = {
    arms: "The arms and their planned shares", size: "Before: how many users?", mde: "Or: what can your users show?", time: "How long?",
    srm: "After: did the planned shares arrive?",
  };
  const START = { arms: "2", s0: "50", s1: "50", s2: "", kind: "rate", base: "20", sd: "40", unit: "absolute", mean: "30",
    effect: "5", alpha: "5", power: "80", users: "5000", day: "200", part: "100", c0: "1089", c1: "1101", c2: "" };
  const PRESETS = {
    signup: ["A sign-up page: 20 % to 25 %", {}],
    feed: ["A feed's minutes, 5 / 5 / 90", { arms: "3", s0: "5", s1: "5", s2: "90", kind: "mean", unit: "relative", effect: "2",
      users: "1000000", day: "40000", part: "100", c0: "4700", c1: "5200", c2: "90100" }],
    rare: ["A rare sale, a tenth treated", { s0: "90", s1: "10", base: "2", unit: "relative", effect: "-10", users: "1000000",
      day: "25000", part: "50", c0: "452310", c1: "50412" }],
    eye: ["A gap that the eye misses", { base: "5", unit: "relative", users: "1637070", day: "120000", c0: "821588", c1: "815482" }],
  };

  /** A typed number (1,030 and 1e5 are read), or NaN. */
  function read(text) {
    const plain = String(text).trim().replace(/[\s_]/g, "").replace("\u2212", "-");
    const joined = /^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(plain) ? plain.replace(/,/g, "") : plain;
    return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(joined) ? Number(joined) : NaN;
  }
  const refusal = (what, must, got, mend) => `${what} must be ${must}, got ${got}; ${mend}.`;
  const inUse = (name, state) => !FIELDS[name].when || FIELDS[name].when(state);
  const armsOf = (letter, state) => ["0", "1", "2"].map((i) => letter + i).filter((name) => inUse(name, state));

  /** The sentence that refuses a field of the form, or "". */
  function problem(name, state) {
    const { what, must, mend, ok, options } = FIELDS[name], text = state[name].trim(), value = read(text);
    if (options || !inUse(name, state)) return "";
    if (!ok(value)) return refusal(what, must, text || "nothing", mend);
    return name === armsOf("s", state).at(-1) ? sumProblem(state) : name === "effect" ? moveProblem(state) : "";
  }
  function sumProblem(state) {
    if (armsOf("s", state).some((name) => !FIELDS[name].ok(read(state[name])))) return "";
    const total = armsOf("s", state).reduce((all, name) => all + read(state[name]), 0);
    if (Math.abs(total - 100) <= 1e-7) return "";
    return refusal("The sum of the shares", "100 %", plain(total), "divide each share by their sum");
  }
  function moveProblem(state) {
    if (!isRate(state) || problem("base", state)) return "";
    const moved = read(state.base) + 100 * change(state);
    if (moved > 0 && moved < 100) return "";
    return refusal("The base rate plus the change", "above 0 and below 100 %", plain(moved), "enter a smaller change");
  }
  /** The change in the outcome's own units; of a rate from 0 to 1. */
  function change(state) {
    const effect = read(state.effect);
    if (state.unit === "relative") return (effect / 100) * (isRate(state) ? read(state.base) / 100 : read(state.mean));
    return isRate(state) ? effect / 100 : effect;
  }

  // ---- words ---------------------------------------------------------------------------------------------------
  function plain(v, digits = 6) {
    if (!finite(v)) throw new RangeError(refusal("The result", "below 1e308", "a larger one", "check the units of what you entered"));
    return Number(v.toPrecision(digits)).toLocaleString("en-US", { maximumFractionDigits: 12 }).replace("-", "\u2212");
  }
  const users = (v) => Math.round(v).toLocaleString("en-US");
  const signed = (v) => (v > 0 ? "+" : "") + plain(v, 3);
  const tiles = (facts) => `<dl>${facts.map(([k, v, alarm]) =>
    `<div${alarm ? ' class="cc-alarm"' : ""}><dt>${k}</dt><dd>${v}</dd></div>`).join("")}</dl>`;
  const weeksOf = (n) => (n === 1 ? "1 whole week" : `${users(n)} whole weeks`);

  /** What the form says, in the units of ab_maths.js. */
  function inputs(state) {
    const shares = armsOf("s", state).map((name) => read(state[name]) / 100);
    const test = { alpha: read(state.alpha) / 100, power: read(state.power) / 100 };
    return { shares, test, metric: isRate(state) ? { baseRate: read(state.base) / 100 } : { sd: read(state.sd) } };
  }
  function sizes(state) {
    const { shares, test, metric } = inputs(state);
    return (isRate(state) ? sampleSize : sampleSizeMean)({ ...metric, ...test, shares, effect: change(state) });
  }
  const RESULTS = {
    size(state) {
      const { arms, total } = sizes(state), { base } = state;
      const move = isRate(state) ? `${plain(read(base))}\u00a0% become ${plain(read(base) + 100 * change(state))}\u00a0%`
        : `a mean move by ${plain(change(state))}`;
      const each = arms.map((n, i) => `${users(n)} in ${SPOKEN[i]}`).join(", ");
      return [tiles([...arms.map((n, i) => [ARMS[i], users(n)]), ["Total", users(total)]]),
        `To see ${move} in ${state.power.trim()}\u00a0% of tests: ${users(total)} users, ${each}.`];
    },
    mde(state) {
      const { shares, test, metric } = inputs(state), all = read(state.users);
      const worst = (one) => {
        const seen = shares.slice(1).map((treated) => one({ ...metric, ...test, control: all * shares[0], treated: all * treated }));
        return seen.includes(null) ? null : seen.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      };
      if (isMean(state)) {
        const least = worst(mdeMean), mean = read(state.mean);
        const tile = [["Change, up or down", plain(least, 3)], ...(state.unit === "relative" ? [["Of the mean", `${plain((100 * least) / mean, 3)}\u00a0%`]] : [])];
        return [tiles(tile), `${users(all)} users show a mean that moves by ${plain(least, 3)} or more.`];
      }
      const found = ["down", "up"].map((direction) => worst((given) => mde({ ...given, direction })));
      const points = (v, edge) => (v === null ? `not even ${edge}\u00a0%` : `${signed(100 * v)} points`);
      const of = (v) => (v === null ? "\u2013" : `${signed((100 * v) / metric.baseRate)}\u00a0%`);
      const [down, up] = [points(found[0], 0), points(found[1], 100)];
      return [tiles([["Fall", down], ["Rise", up], ["Fall, relative", of(found[0])], ["Rise, relative", of(found[1])]]),
        `With ${users(all)} users, the smallest fall seen: ${down}; the smallest rise: ${up}.`];
    },
    time(state) {
      const { total } = sizes(state), { days, weeks } = duration({ users: total, perDay: read(state.day), share: read(state.part) / 100 });
      if (!finite(days) || days > 1e6) throw new RangeError(refusal("The duration", "at most 1,000,000 days", "a longer one", "enlarge the change"));
      return [tiles([["Days", plain(days, 3)], ["Run for", weeksOf(weeks)]]),
        `${users(total)} users enter in ${plain(days, 3)} days. Run ${weeksOf(weeks)}, so that every weekday counts alike.`];
    },
    srm(state) {
      const { shares } = inputs(state), counts = armsOf("c", state).map((name) => read(state[name]));
      const found = srm({ counts, shares });
      const alarms = LEVELS.map((level) => [`Below ${level}`, found.p < level ? "alarm" : "no alarm", found.p < level]);
      const row = (n, i) => `<tr><th scope="row">${ARMS[i]}</th><td>${users(n)}</td><td>${users(found.expected[i])}</td>
        <td>${users(n - found.expected[i]).replace("-", "\u2212").replace("\u22120", "0")}</td></tr>`;
      return [`${tiles([["p", twoDigits(found.p)], ...alarms])}<table><caption>Users by arm</caption><thead><tr><th scope="col">Arm</th>
        <th scope="col">Came</th><th scope="col">Planned</th><th scope="col">Gap</th></tr></thead><tbody>${counts.map(row).join("")}</tbody></table>`, found.sentence];
    },
  };
  const NEEDS = { // what a part reads, its own fields first
    size: ["size", "arms"], mde: ["mde", "size", "arms"], time: ["time", "size", "arms"], srm: ["srm", "arms"],
  };
  globalThis.casebookAbPage = { read, problem, START };

  // ---- page ----------------------------------------------------------------------------------------------------
  const control = (name) => {
    const { label, options } = FIELDS[name], id = `ab-${name}`;
    const list = options && Object.entries(options).map(([value, text]) => `<option value="${value}">${text}</option>`).join("");
    return `<div class="cc-field" id="${id}-field"><label for="${id}">${label}</label>${options ? `<select id="${id}">${list}</select>`
      : `<input id="${id}" type="text" inputmode="${name === "effect" ? "text" : "decimal"}" autocomplete="off" aria-describedby="${id}-error">
      <p class="cc-error" id="${id}-error" hidden></p>`}</div>`;
  };
  const part = ([key, title]) => `<fieldset class="ab-part" id="ab-part-${key}"><legend>${title}</legend>
    <div class="cc-form">${NAMES.filter((name) => FIELDS[name].part === key).map(control).join("")}</div>
    ${RESULTS[key] ? '<div class="cc-results"></div><p class="cc-status" role="status" aria-live="polite"></p>' : ""}</fieldset>`;

  function start(root) {
    const presets = Object.entries(PRESETS).map(([key, [label]]) => `<option value="${key}">${label}</option>`).join("");
    root.innerHTML = `<form novalidate><div class="cc-field cc-preset"><label for="ab-preset">Start from an example</label>
      <select id="ab-preset">${presets}<option value="own">Your own numbers</option></select></div>
      ${Object.entries(PARTS).map(part).join("")}</form>`;
    const $ = (selector) => root.querySelector(selector), input = (name) => $(`#ab-${name}`);
    const say = (place, text) => { if (place.textContent !== text) place.textContent = text; }; // a live region speaks when it changes

    function result(key, state) {
      const needed = NEEDS[key].flatMap((owner) => TYPED.filter((name) => FIELDS[name].part === owner));
      const bad = needed.find((name) => problem(name, state) && !(key === "mde" && name === "effect"));
      if (bad && FIELDS[bad].part !== key) return ["", `No result until this is mended: ${problem(bad, state)}`];
      if (bad) return ["", `No result. ${problem(bad, state)}`];
      try {
        return RESULTS[key](state);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return ["", `No result. ${error.message}`];
      }
    }
    function render() {
      const state = Object.fromEntries(NAMES.map((name) => [name, input(name).value]));
      const units = state.unit === "relative" ? "%" : isRate(state) ? "percentage points" : "the outcome's units";
      say($("#ab-effect-field label"), `${FIELDS.effect.label} (${units})`);
      NAMES.forEach((name) => { $(`#ab-${name}-field`).hidden = !inUse(name, state); });
      TYPED.forEach((name) => {
        const sentence = problem(name, state), note = $(`#ab-${name}-error`);
        say(note, sentence);
        note.hidden = !sentence;
        input(name).setAttribute("aria-invalid", String(Boolean(sentence)));
      });
      Object.keys(RESULTS).forEach((key) => {
        const [html, sentence] = result(key, state);
        $(`#ab-part-${key} .cc-results`).innerHTML = html;
        say($(`#ab-part-${key} .cc-status`), sentence);
      });
      return state;
    }
    function fill(given) { NAMES.forEach((name) => { input(name).value = given[name]; }); return render(); }
    function writeHash(state) {
      const used = NAMES.filter((name) => inUse(name, state));
      history.replaceState(null, "", "#" + new URLSearchParams(used.map((name) => [name, state[name]])));
    }
    function readHash() {
      const given = new URLSearchParams(location.hash.slice(1)), known = NAMES.filter((name) => given.has(name));
      if (!known.length) return;
      const fits = (name) => !FIELDS[name].options || given.get(name) in FIELDS[name].options;
      const state = fill({ ...START, ...Object.fromEntries(known.filter(fits).map((name) => [name, given.get(name)])) });
      const same = ([, values]) => known.every((name) => ({ ...START, ...values })[name] === state[name]);
      $("#ab-preset").value = (Object.entries(PRESETS).find(([, preset]) => same(preset)) || ["own"])[0];
    }
    NAMES.forEach((name) => input(name).addEventListener("input", () => { $("#ab-preset").value = "own"; writeHash(render()); }));
    $("#ab-preset").addEventListener("change", ({ target }) => {
      if (target.value !== "own") writeHash(fill({ ...START, ...PRESETS[target.value][1] }));
    });
    $("form").addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("hashchange", readHash);
    fill(START);
    readHash();
  }
  function mount() { const root = document.getElementById("casebook-ab"); if (root && !root.querySelector("form")) start(root); }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
})();
