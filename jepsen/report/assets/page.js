"use strict";
// Draws the timeline of a run. All of it is one SVG, drawn anew whenever the
// width, the part of time or the choice in the legend changes; what the pointer
// is over is found by reckoning, not by elements.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const chart = document.getElementById("chart"), legend = document.getElementById("legend"), tip = document.getElementById("tip");
  const outcomes = ["unanswered", "ok", "failed", "unknown"];
  const roles = { leads: "leads", follows: "follows", searches: "knows of no leader", silent: "does not answer" };
  const sides = ["Publish latency", "Settle latency", "Administration latency"];
  const off = new Set(["max"]); // what the legend hides
  let from = 0, to = data.end;  // the part of time that is shown
  let cursor = null;            // a moment that a link leads to
  let rows = [], box = null;    // the layout that was drawn last

  // Words and figures.
  const esc = (s) => String(s).replace(/[&<>"']/g, (c) => "&#" + c.charCodeAt(0) + ";");
  const color = (w) => `var(--s${w})`;
  const trim = (n, digits) => String(+n.toFixed(digits));
  const span = (us) => us < 1e3 ? us + " µs" : us < 1e6 ? trim(us / 1e3, us < 1e4 ? 2 : us < 1e5 ? 1 : 0) + " ms" : trim(us / 1e6, 2) + " s";
  const moment = (us) => us < 6e8 ? trim(us / 1e6, 3) + " s" : trim(us / 6e7, 2) + " min";
  const clock = (us) => to < 6e8 ? trim(us / 1e6, 3) + " s" : to < 1.8e10 ? trim(us / 6e7, 2) + " min" : trim(us / 3.6e9, 2) + " h";
  const count = (n) => Math.round(n).toLocaleString("en-US");
  const shown = (name) => !off.has(name);

  // Scales.
  const x = (t) => box.left + (t - from) / (to - from) * box.width;
  const time = (px) => from + (px - box.left) / box.width * (to - from);
  const near = (t) => Math.min(box.left + box.width + 4, Math.max(box.left - 4, x(t)));
  const bucketOf = (t) => Math.min(data.buckets - 1, Math.max(0, Math.floor(t / data.bucket)));
  const middle = (b) => (Math.min((b + 1) * data.bucket, data.end) + b * data.bucket) / 2;
  const seconds = (b) => (Math.min((b + 1) * data.bucket, data.end) - b * data.bucket) / 1e6;

  function ticks(lo, hi, about) {
    const raw = (hi - lo) / Math.max(1, about), power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
    const all = [];
    for (let t = Math.ceil(lo / step) * step; t <= hi * (1 + 1e-9); t += step) all.push(t);
    return all;
  }

  // Steps of time that a clock knows; below a second they are decimal.
  const clockSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400].map((s) => s * 1e6);
  function timeTicks(about) {
    const raw = (to - from) / Math.max(1, about), step = raw > 5e5 && clockSteps.find((s) => s >= raw);
    if (!step) return ticks(from, to, about);
    const all = [];
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) all.push(t);
    return all;
  }

  // Each name of a fault has a lane, and stands there as often as there is room.
  const lanesMax = 6;
  function lanes() {
    const names = [...new Set(data.bands.map((f) => f.name))], placed = [];
    const lane = (f) => names.indexOf(f.name) % lanesMax;
    for (let l = 0; l < Math.min(names.length, lanesMax); l++) {
      const here = data.bands.filter((f) => lane(f) === l && f.to >= from && f.from <= to)
        .map((f) => ({ f, lane: l, a: near(f.from), b: Math.max(near(f.to), near(f.from) + 2), room: f.name.length * 6.3 + 12 }));
      here.forEach((p, i) => {
        const next = i + 1 < here.length ? here[i + 1].a : box.left + box.width;
        p.label = p.b - p.a > p.room ? "in" : next - p.b > p.room ? "after" : "";
      });
      if (here.length && here.every((p) => !p.label)) here[0].label = here[0].a - box.left > here[0].room ? "before" : "in";
      placed.push(...here);
    }
    return { placed, count: Math.min(names.length, lanesMax) };
  }
  const shade = (f) => f.leader ? "var(--fault)" : f.frozen ? "var(--fault-frozen)" : "var(--fault-calm)";

  function layout() {
    const W = Math.max(280, chart.clientWidth), narrow = W < 640;
    box = { W, narrow, left: narrow ? 50 : 72, right: narrow ? 6 : 14 };
    box.width = W - box.left - box.right;
    rows = [];
    let y = 16;
    const row = (kind, title, height, more) => {
      if (title) y += 24;
      rows.push({ kind, title, y, height, ...more });
      y += height;
    };
    const faults = shown("faults") ? lanes() : { placed: [], count: 0 };
    if (faults.count) row("faults", "", faults.count * 18, faults);
    if (data.strips.length) row("strips", "Who leads", data.strips.length * 17);
    sides.forEach((title, side) => {
      const any = data.workloads.some((w) => w.latency[side].p50) || data.marks.some((m) => m.s === side);
      if (any) row("latency", title, side === 0 ? (narrow ? 150 : 190) : side === 1 ? (narrow ? 130 : 150) : 90, { side });
    });
    row("rate", "Confirms a second", narrow ? 80 : 95, { of: "confirms" });
    row("rate", "Deliveries a second", narrow ? 80 : 95, { of: "deliveries" });
    box.bottom = y;
    box.H = y + 24;
  }

  // Parts of the picture.
  function background() {
    let s = "";
    const top = rows[0].y;
    for (const t of timeTicks(box.width / 90)) {
      s += `<line class="grid" x1="${x(t)}" x2="${x(t)}" y1="${top}" y2="${box.bottom}"/>` +
        `<text x="${x(t)}" y="${box.bottom + 16}" text-anchor="${x(t) > box.W - 24 ? "end" : "middle"}">${clock(t)}</text>`;
    }
    if (shown("faults")) for (const f of data.bands) {
      if (f.to < from || f.from > to) continue;
      const a = near(f.from), b = Math.max(near(f.to), a + 1);
      s += `<rect x="${a}" width="${b - a}" y="${top}" height="${box.bottom - top}" fill="${shade(f)}" opacity=".09"/>`;
    }
    return s;
  }

  function drawFaults(r) {
    let s = "", names = "";
    for (const p of r.placed) {
      const y = r.y + p.lane * 18 + 2, c = shade(p.f);
      s += `<rect x="${p.a}" width="${p.b - p.a}" y="${y}" height="14" rx="4" fill="${c}" opacity="${p.f.bitten ? .55 : .2}"` +
        (p.f.bitten ? "/>" : ` stroke="${c}" stroke-width="1.5" stroke-dasharray="3 2"/>`);
      if (!p.label) continue;
      const at = p.label === "in" ? `x="${p.a + 6}"` : p.label === "after" ? `x="${p.b + 5}"` : `x="${p.a - 5}" text-anchor="end"`;
      names += `<text class="on" ${at} y="${y + 11}">${esc(p.f.name)}</text>`;
    }
    return s + names;
  }

  function drawStrips(r) {
    let s = "";
    data.strips.forEach((n, i) => {
      const y = r.y + i * 17;
      s += `<text x="${box.left - 8}" y="${y + 11}" text-anchor="end">${esc(n.node.slice(0, box.narrow ? 6 : 10))}</text>`;
      for (const p of n.stretches) {
        if (p.to < from || p.from > to) continue;
        const a = near(p.from), b = Math.max(near(p.to), a + 1), label = "term " + p.term;
        s += `<rect x="${a}" width="${b - a}" y="${y + 1}" height="13" rx="${b - a > 8 ? 3 : 0}" fill="var(--${p.role})"/>`;
        if (p.role === "leads" && b - a > label.length * 6 + 8)
          s += `<text x="${Math.max(a, box.left) + 6}" y="${y + 11}" style="fill:var(--on-leads)">${label}</text>`;
      }
    });
    return s;
  }

  function drawLatency(r) {
    const lines = [["max", 1, "1 3", .9], ["p50", 1.1, "", .6], ["p99", 1.9, "", 1]];
    let lo = Infinity, hi = 0;
    const see = (v) => { if (v >= 0) { lo = Math.min(lo, Math.max(v, 10)); hi = Math.max(hi, v); } };
    const visible = data.workloads.map((w, i) => ({ q: w.latency[r.side], i, name: w.name })).filter((w) => w.q.p50 && shown("w" + w.i));
    for (const w of visible) for (const [q] of lines) if (shown(q)) w.q[q].forEach((v, b) => { if ((b + 1) * data.bucket > from && b * data.bucket < to) see(v); });
    const marks = data.marks.filter((m) => m.s === r.side && shown("w" + m.w) && shown(outcomes[m.o]) && m.t >= from && m.t <= to);
    marks.forEach((m) => see(m.l));
    if (!(hi > 0)) { lo = 100; hi = 1e6; }
    const bottom = Math.floor(Math.log10(lo) * 2) / 2, top = Math.max(bottom + 1, Math.ceil(Math.log10(hi * 1.02) * 2) / 2);
    const y = r.scale = (v) => r.y + r.height - (Math.log10(Math.max(v, 1)) - bottom) / (top - bottom) * r.height;
    let s = "";
    for (let d = Math.ceil(bottom); d <= top; d++)
      s += `<line class="grid" x1="${box.left}" x2="${box.left + box.width}" y1="${y(10 ** d)}" y2="${y(10 ** d)}"/>` +
        `<text x="${box.left - 8}" y="${y(10 ** d) + 4}" text-anchor="end">${span(10 ** d)}</text>`;
    s += `<g clip-path="url(#clip)" fill="none" stroke-linejoin="round" stroke-linecap="round">`;
    for (const [q, width, dash, opacity] of lines) if (shown(q)) for (const w of visible)
      s += `<path d="${line(w.q[q], y)}" stroke="${color(w.i)}" stroke-width="${width}" stroke-dasharray="${dash}" opacity="${opacity}"/>`;
    r.marks = marks;
    for (const m of marks) {
      const a = x(m.t), b = Math.min(Math.max(y(m.l), r.y + 3), r.y + r.height - 3);
      s += m.o === 2 ? `<path d="M${a - 3} ${b - 3}l6 6m0 -6l-6 6" stroke="var(--bad)" stroke-width="1.5"/>`
        : `<circle cx="${a}" cy="${b}" r="3" stroke="var(--warn)" stroke-width="1.5"/>`;
    }
    return s + "</g>";
  }

  // A line is broken where there is no value; one that stands alone is a dot.
  function line(values, y) {
    let d = "", open = false;
    values.forEach((v, b) => {
      if (v < 0) { open = false; return; }
      d += `${open ? "L" : "M"}${x(middle(b)).toFixed(1)} ${y(v).toFixed(1)}${open ? "" : "h.01"}`;
      open = true;
    });
    return d;
  }

  function drawRate(r) {
    const visible = data.workloads.map((w, i) => ({ values: w[r.of], i })).filter((w) => shown("w" + w.i));
    const base = new Array(data.buckets).fill(0);
    const stacks = visible.map((w) => ({ i: w.i, low: base.slice(), high: w.values.map((v, b) => base[b] += v / seconds(b)) }));
    const top = Math.max(1, ...base.filter((_, b) => (b + 1) * data.bucket > from && b * data.bucket < to)) * 1.05;
    const y = (v) => r.y + r.height - v / top * r.height;
    let s = "";
    for (const t of ticks(0, top, 3))
      s += `<line class="grid" x1="${box.left}" x2="${box.left + box.width}" y1="${y(t)}" y2="${y(t)}"/>` +
        `<text x="${box.left - 8}" y="${y(t) + 4}" text-anchor="end">${count(t)}</text>`;
    s += `<g clip-path="url(#clip)">`;
    for (const w of stacks) {
      let up = "", back = "";
      for (let b = 0; b < data.buckets; b++) {
        const a = x(b * data.bucket).toFixed(1), z = x(Math.min((b + 1) * data.bucket, data.end)).toFixed(1);
        up += `${b ? "L" : "M"}${a} ${y(w.high[b]).toFixed(1)}H${z}`;
        back = `L${z} ${y(w.low[b]).toFixed(1)}H${a}` + back;
      }
      s += `<path d="${up}${back}Z" fill="${color(w.i)}" opacity=".8"/>`;
    }
    return s + "</g>";
  }

  // Names of moments stand beside one another, each as near to its line as it can.
  function drawMoments() {
    const all = data.moments.filter((m) => m.at >= from && m.at <= to).sort((a, b) => a.at - b.at)
      .map((m) => ({ ...m, width: m.name.length * 6.2 + 6 }));
    let s = "", free = 0;
    for (const m of all) { m.label = Math.max(free, x(m.at) - m.width / 2); free = m.label + m.width; }
    free = box.W;
    for (const m of all.reverse()) { m.label = Math.min(m.label, free - m.width); free = m.label; }
    for (const m of all) {
      s += `<line x1="${x(m.at)}" x2="${x(m.at)}" y1="${rows[0].y - 2}" y2="${box.bottom}" stroke="var(--quiet)" stroke-dasharray="2 4"/>` +
        `<text x="${m.label}" y="11">${esc(m.name)}</text>`;
    }
    if (cursor !== null) s += `<line x1="${x(cursor)}" x2="${x(cursor)}" y1="0" y2="${box.bottom}" stroke="var(--link)" stroke-width="2"/>`;
    return s;
  }

  function draw() {
    layout();
    const parts = { faults: drawFaults, strips: drawStrips, latency: drawLatency, rate: drawRate };
    let s = `<defs><clipPath id="clip"><rect x="${box.left}" y="0" width="${box.width}" height="${box.H}"/></clipPath></defs>` + background();
    for (const r of rows) {
      if (r.title) s += `<text class="title" x="${box.left}" y="${r.y - 7}">${r.title}</text>`;
      s += parts[r.kind](r);
      if (r.kind === "latency" || r.kind === "rate")
        s += `<line class="frame" x1="${box.left}" x2="${box.left + box.width}" y1="${r.y + r.height}" y2="${r.y + r.height}"/>`;
    }
    s += drawMoments() + `<rect id="brush" y="0" height="${box.bottom}" fill="var(--link)" opacity=".14" width="0"/>` +
      `<line id="hair" y1="${rows[0].y}" y2="${box.bottom}" stroke="var(--ink)" opacity="0"/>`;
    chart.innerHTML = `<svg viewBox="0 0 ${box.W} ${box.H}" height="${box.H}" role="img" aria-label="Timeline of the run">${s}</svg>`;
  }

  // The legend.
  function chip(name, html) {
    const b = document.createElement("button");
    b.type = "button";
    b.className = "chip";
    b.innerHTML = html;
    b.setAttribute("aria-pressed", shown(name));
    b.onclick = () => {
      if (!off.delete(name)) off.add(name);
      b.setAttribute("aria-pressed", shown(name));
      draw();
    };
    legend.append(b);
    return b;
  }
  const glyph = (s) => `<svg width="16" height="10" viewBox="0 0 16 10" fill="none" stroke="currentColor">${s}</svg>`;
  function makeLegend() {
    const gap = () => legend.insertAdjacentHTML("beforeend", `<span class="space"></span>`);
    data.workloads.forEach((w, i) => { chip("w" + i, `<i style="--c:${color(i)}"></i>${esc(w.name)}`); });
    gap();
    chip("p50", glyph(`<path d="M0 5h16" stroke-width="1.1" opacity=".7"/>`) + "p50");
    chip("p99", glyph(`<path d="M0 5h16" stroke-width="2"/>`) + "p99");
    chip("max", glyph(`<path d="M0 5h16" stroke-width="1.5" stroke-dasharray="1 3" stroke-linecap="round"/>`) + "max");
    gap();
    chip("failed", glyph(`<path d="M5 2l6 6m0 -6l-6 6" stroke="var(--bad)" stroke-width="1.6"/>`) + "failed");
    chip("unknown", glyph(`<circle cx="8" cy="5" r="3.4" stroke="var(--warn)" stroke-width="1.6"/>`) + "unknown");
    if (data.bands.length) chip("faults", `<i style="--c:var(--fault);opacity:.6"></i>faults`);
  }

  // What the pointer is over.
  function table(head, lines) {
    return `<table><tr>${head.map((h) => `<th>${h}</th>`).join("")}</tr>` +
      lines.map((l) => `<tr>${l.map((c) => `<td>${c}</td>`).join("")}</tr>`).join("") + "</table>";
  }
  const key = (i) => `<i style="background:${color(i)}"></i>${esc(data.workloads[i].name)}`;
  const told = {
    faults: () => "",
    strips: (r, t, px, py) => {
      const n = data.strips[Math.min(data.strips.length - 1, Math.floor((py - r.y) / 17))];
      const p = n && n.stretches.find((p) => p.from <= t && t <= p.to);
      if (!p) return "";
      return `<b>${esc(n.node)}</b> ${roles[p.role]}${p.role === "follows" ? " " + esc(p.leader) : ""}${p.term ? ", term " + p.term : ""}` +
        `<br>from ${moment(p.from)} to ${moment(p.to)}`;
    },
    latency: (r, t, px, py) => {
      let best = null, least = 81;
      for (const m of r.marks) {
        const d = (x(m.t) - px) ** 2 + (r.scale(m.l) - py) ** 2;
        if (d < least) { least = d; best = m; }
      }
      if (best) return `<b>${outcomes[best.o]}</b> after ${span(best.l)}, called at ${moment(best.t)}<br>${key(best.w)}<br>${esc(best.x)}` +
        (best.n > 1 ? `<br>and ${count(best.n - 1)} more here` : "");
      const b = bucketOf(t), lines = [];
      data.workloads.forEach((w, i) => {
        const q = w.latency[r.side];
        if (q.p50 && shown("w" + i) && q.p50[b] >= 0) lines.push([key(i), span(q.p50[b]), span(q.p99[b]), span(q.max[b])]);
      });
      return lines.length ? table(["", "p50", "p99", "max"], lines) : "nothing that was called here succeeded";
    },
    rate: (r, t) => {
      const b = bucketOf(t), lines = [];
      let sum = 0;
      data.workloads.forEach((w, i) => {
        if (!shown("w" + i)) return;
        const v = w[r.of][b] / seconds(b);
        sum += v;
        if (v > 0) lines.push([key(i), count(v) + " / s"]);
      });
      lines.push(["all", count(sum) + " / s"]);
      return table(["", ""], lines);
    },
  };
  function active(t) {
    const slack = 2 * (to - from) / box.width; // a fault as narrow as a line can be hit, too
    return data.bands.filter((f) => f.from - slack <= t && t <= f.to + slack).slice(0, 5).map((f) =>
      `<div class="fault"><b>${esc(f.name)}</b> ${esc(f.nodes)} · ${moment(f.from)} to ${moment(f.to)}<br>` +
      `${f.bitten ? "bit: " + esc(f.bites) : "was not seen to bite"}</div>`).join("");
  }

  let began = null; // where a drag began
  const inside = (e) => {
    const r = chart.getBoundingClientRect();
    return { px: e.clientX - r.left, py: e.clientY - r.top };
  };
  function hover(e) {
    const { px, py } = inside(e), hair = document.getElementById("hair"), brush = document.getElementById("brush");
    if (began !== null) {
      brush.setAttribute("x", Math.min(began, px));
      brush.setAttribute("width", Math.abs(px - began));
    }
    const r = rows.find((r) => py >= r.y - 22 && py <= r.y + r.height + 2);
    if (px < box.left || px > box.left + box.width || !r) return leave();
    const t = time(px);
    hair.setAttribute("x1", px);
    hair.setAttribute("x2", px);
    hair.setAttribute("opacity", ".35");
    tip.innerHTML = `<b>${moment(Math.round(t / 1e3) * 1e3)}</b>${active(t)}<div>${told[r.kind](r, t, px, py)}</div>`;
    tip.hidden = false;
    const w = tip.offsetWidth, h = tip.offsetHeight;
    tip.style.left = Math.max(8, e.clientX + 16 + w > innerWidth ? e.clientX - w - 16 : e.clientX + 16) + "px";
    tip.style.top = Math.max(8, Math.min(e.clientY + 14, innerHeight - h - 8)) + "px";
  }
  function leave() {
    tip.hidden = true;
    const hair = document.getElementById("hair");
    if (hair) hair.setAttribute("opacity", "0");
  }
  chart.addEventListener("pointermove", hover);
  chart.addEventListener("pointerleave", () => { began = null; leave(); });
  chart.addEventListener("pointerdown", (e) => { if (e.pointerType === "mouse" && e.button === 0) began = inside(e).px; hover(e); });
  chart.addEventListener("pointerup", (e) => {
    const start = began, { px } = inside(e);
    began = null;
    if (start !== null && Math.abs(px - start) > 8) {
      const [a, b] = [time(Math.min(start, px)), time(Math.max(start, px))];
      from = Math.max(0, a);
      to = Math.min(data.end, Math.max(b, from + 1000));
    }
    if (start !== null) draw();
  });
  chart.addEventListener("dblclick", () => { from = 0; to = data.end; draw(); });

  // Links to a moment.
  document.addEventListener("click", (e) => {
    const link = e.target.closest("[data-at]");
    if (!link) return;
    cursor = +link.dataset.at;
    if (cursor < from || cursor > to) { from = 0; to = data.end; }
    draw();
  });
  // A cell opens what it leads to.
  const open = () => {
    const card = location.hash.startsWith("#verdict-") && document.getElementById(location.hash.slice(1));
    if (card) card.open = true;
  };
  addEventListener("hashchange", open);
  open();

  makeLegend();
  draw();
  let drawn = chart.clientWidth;
  new ResizeObserver(() => requestAnimationFrame(() => {
    if (chart.clientWidth === drawn) return;
    drawn = chart.clientWidth;
    draw();
  })).observe(chart);
})();
