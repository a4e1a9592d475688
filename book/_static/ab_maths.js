/* A/B test arithmetic without a page. Same numbers as sample_size, mde, sample_size_mean, mde_mean and srm of
   casebook.experiments. Rates and shares are from 0 to 1 here; arms are listed with control first.
   The normal curve is that of calculator.js, which is loaded before. */
(function () {
  "use strict";
  const { erfc, upperQuantile } = globalThis.casebookCalculator;
  const ROUNDING = 1e-9; // a plan of exactly 100 users must not become 101 by the rounding of floats
  const LEAST_EXPECTED = 5; // with fewer, the chi-square's p is off (Cochran 1954)
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  /** Throw the sentence of a refusal: what, must be, got, mend. */
  function need(good, what, must, got, mend) {
    if (!good) throw new RangeError(`${what} must be ${must}, got ${got}; ${mend}.`);
  }
  const open = (value) => value > 0 && value < 1;
  const positive = (value) => value > 0 && value < Infinity;
  const needShare = (value, what) => need(open(value), what, "above 0 and below 1", value, "divide percentages by 100");
  const needPositive = (value, what) => need(positive(value), what, "above 0", value, "pass what the plan has of it");

  function needShares(shares) {
    const fit = shares.length >= 2 && shares.every(positive) && Math.abs(sum(shares) - 1) <= ROUNDING;
    need(fit, "The shares", "above 0 and 1 in sum", shares.join(", "), "divide them by their sum");
  }
  /** Normal quantiles of a two-sided alpha and of a power. */
  function quantiles(alpha, power) {
    need(alpha >= 1e-6 && alpha <= 0.5, "alpha", "from 0.000001 to 0.5", alpha, "take 0.05 or 0.01");
    need(power >= 0.5 && power < 1, "power", "at least 0.5 and below 1", power, "ask for 0.8 or 0.9");
    return { critical: upperQuantile(alpha / 2), reach: upperQuantile(1 - power) };
  }
  const needEffect = (effect) => need(effect !== 0 && Number.isFinite(effect), "effect", "a number other than 0", effect,
    "name the smallest change that would alter the decision");

  /** Whole users per arm from the total that each comparison with control needs; the neediest decides. */
  function split(shares, totalOf) {
    const control = shares[0];
    const total = Math.max(...shares.slice(1).map((treated) => {
      const pair = treated + control;
      return totalOf(treated / pair) / pair;
    }));
    need(total < 1e15, "The change", "large enough to need fewer than 1e15 users", "one that needs more", "enlarge it");
    const arms = shares.map((share) => Math.ceil(share * total - ROUNDING));
    return { arms, total: sum(arms) };
  }
  /** Standard errors of the difference of two rates, times sqrt(N): pooled under no effect, unpooled under it. */
  function spreads(baseRate, effect, share) {
    const moved = baseRate + effect, pooled = share * moved + (1 - share) * baseRate;
    return [
      Math.sqrt((pooled * (1 - pooled)) / (share * (1 - share))),
      Math.sqrt((moved * (1 - moved)) / share + (baseRate * (1 - baseRate)) / (1 - share)),
    ];
  }

  /** Users per arm to see a rate move by `effect` (absolute, signed). */
  function sampleSize({ baseRate, effect, alpha = 0.05, power = 0.8, shares = [0.5, 0.5] }) {
    needShare(baseRate, "baseRate");
    needEffect(effect);
    need(open(baseRate + effect), "baseRate + effect", "above 0 and below 1", baseRate + effect,
      "give effect as an absolute change, -0.01 for one point down");
    needShares(shares);
    const { critical, reach } = quantiles(alpha, power);
    return split(shares, (treated) => {
      const [none, there] = spreads(baseRate, effect, treated);
      return ((critical * none + reach * there) / effect) ** 2;
    });
  }

  /** Users per arm to see a mean move by `effect`, in the outcome's units. */
  function sampleSizeMean({ sd, effect, alpha = 0.05, power = 0.8, shares = [0.5, 0.5] }) {
    needPositive(sd, "sd");
    needEffect(effect);
    needShares(shares);
    const { critical, reach } = quantiles(alpha, power);
    return split(shares, (treated) => (((critical + reach) * sd) / effect) ** 2 / (treated * (1 - treated)));
  }

  /** Smallest change of a rate, signed, that two arms see, or null where not even a rate of 0 (or 1) would be seen. */
  function mde({ baseRate, control, treated, alpha = 0.05, power = 0.8, direction = "down" }) {
    needShare(baseRate, "baseRate");
    needPositive(control, "control");
    needPositive(treated, "treated");
    need(direction === "down" || direction === "up", "direction", "'down' or 'up'", direction, "say which way");
    const { critical, reach } = quantiles(alpha, power);
    const total = control + treated, sign = direction === "down" ? -1 : 1;
    const lacks = (size) => {
      const [none, there] = spreads(baseRate, sign * size, treated / total);
      return size * Math.sqrt(total) < critical * none + reach * there;
    };
    let low = 0, high = direction === "down" ? baseRate : 1 - baseRate;
    if (lacks(high)) return null;
    for (let i = 0; i < 200; i++) {
      const middle = (low + high) / 2;
      if (lacks(middle)) low = middle;
      else high = middle;
    }
    return sign * high;
  }

  /** Smallest change of a mean, up or down, that two arms see. */
  function mdeMean({ sd, control, treated, alpha = 0.05, power = 0.8 }) {
    needPositive(sd, "sd");
    needPositive(control, "control");
    needPositive(treated, "treated");
    const { critical, reach } = quantiles(alpha, power);
    return (critical + reach) * sd * Math.sqrt(1 / control + 1 / treated);
  }

  /** Days until `users` have entered, raw and as whole weeks. */
  function duration({ users, perDay, share }) {
    needPositive(users, "users");
    needPositive(perDay, "perDay");
    need(share > 0 && share <= 1, "share", "above 0 and at most 1", share, "divide percentages by 100");
    const days = users / (perDay * share);
    return { days, weeks: Math.ceil(days / 7 - ROUNDING) };
  }

  /** Share of a chi-square above x, any whole number of degrees of freedom: the finite sum of the incomplete gamma. */
  function chiSquareAbove(x, freedom) {
    const half = x / 2, odd = freedom % 2;
    let tail = odd ? erfc(Math.sqrt(half)) : Math.exp(-half);
    let term = odd ? 2 * Math.sqrt(half / Math.PI) * Math.exp(-half) : half * Math.exp(-half);
    for (let have = odd ? 1 : 2; have < freedom; have += 2) {
      tail += term;
      term *= half / (have / 2 + 1);
    }
    return tail;
  }

  /** A number with two digits, written as Python's format ".2g" writes it. */
  function twoDigits(value) {
    const [digits, power] = value.toExponential(1).split("e");
    if (value === 0 || (power >= -4 && power < 2)) return String(Number(value.toPrecision(2)));
    const size = String(Math.abs(power)).padStart(2, "0");
    return `${Number(digits)}e${power < 0 ? "-" : "+"}${size}`;
  }

  /** Sample ratio mismatch: do the counts agree with the planned shares? */
  function srm({ counts, shares, alpha = 0.01 }) {
    needShares(shares);
    const whole = counts.length === shares.length && counts.every((count) => count >= 0 && Number.isInteger(count));
    need(whole, "counts", "a whole number for each share", counts.join(", "), "count the users of each arm");
    const expected = shares.map((share) => share * sum(counts)), least = Math.min(...expected);
    need(least >= LEAST_EXPECTED, "The counts", `large enough to expect ${LEAST_EXPECTED} in each arm`,
      `${Number(least.toPrecision(6))} expected in one`, "wait for more users");
    const statistic = sum(counts.map((count, i) => (count - expected[i]) ** 2 / expected[i]));
    const p = chiSquareAbove(statistic, counts.length - 1), broken = p < alpha;
    const said = broken ? "contradict the plan" : "agree with the plan", end = broken ? ": find the cause." : ".";
    return { p, statistic, expected, broken, sentence: `The arms' sizes ${said} (p = ${twoDigits(p)})${end}` };
  }

  globalThis.casebookAb = {
    sampleSize, sampleSizeMean, mde, mdeMean, duration, srm, chiSquareAbove, twoDigits, upperQuantile,
  };
})();
