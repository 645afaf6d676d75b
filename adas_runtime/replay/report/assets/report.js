"use strict";
// One window in time, shared by the timeline's bars and by every plot. Times are seconds of the drive.
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const total = data.duration_s;
  const timeline = document.getElementById("timeline");
  const ruler = document.getElementById("ruler");
  const pointer = document.getElementById("pointer");
  const plots = [];
  let view = [0, total];
  let applying = false;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const gutter = () => parseFloat(getComputedStyle(timeline).getPropertyValue("--gutter")) || 178;

  function clock(seconds, step) {
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    const whole = Math.floor(seconds / 60 + 1e-9);
    const rest = Math.max(0, seconds - whole * 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
    return whole >= 60 ? `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}:${rest}` : `${whole}:${rest}`;
  }

  const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
  function ticks(from, to, room) {
    const wanted = (to - from) / Math.max(2, room / 80);
    const step = STEPS.find((item) => item >= wanted) || STEPS[STEPS.length - 1];
    const found = [];
    for (let k = Math.ceil(from / step - 1e-9); k * step <= to + 1e-9; k++) found.push(k * step);
    return [found, step];
  }

  function drawRuler() {
    const [found, step] = ticks(view[0], view[1], ruler.clientWidth);
    ruler.replaceChildren(...found.map((t) => {
      const mark = document.createElement("span");
      mark.textContent = clock(t, step);
      mark.style.left = `${((t - view[0]) / (view[1] - view[0])) * 100}%`;
      return mark;
    }));
  }

  function show(from, to) {
    const span = Math.min(total, Math.max(0.2, to - from));
    const start = Math.min(Math.max(0, from), total - span);
    view = [start, start + span];
    applying = true;
    timeline.style.setProperty("--from", start);
    timeline.style.setProperty("--span", span);
    for (const plot of plots) plot.setScale("x", { min: view[0], max: view[1] });
    applying = false;
    drawRuler();
    document.getElementById("window").textContent = `${clock(view[0], 0.1)} to ${clock(view[1], 0.1)}`;
  }

  const zoom = (factor) => {
    const middle = (view[0] + view[1]) / 2;
    const half = ((view[1] - view[0]) / 2) * factor;
    show(middle - half, middle + half);
  };
  const pan = (share) => show(view[0] + share * (view[1] - view[0]), view[1] + share * (view[1] - view[0]));
  const around = (t) => show(t - 5, t + 5);

  function point(t) {
    const track = ruler.getBoundingClientRect();
    const share = (t - view[0]) / (view[1] - view[0]);
    const seen = t !== null && share >= 0 && share <= 1;
    pointer.style.display = seen ? "block" : "none";
    if (seen) pointer.style.left = `${track.left - timeline.getBoundingClientRect().left + share * track.width}px`;
  }

  function backdrop(spec) {
    return (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      if (spec.band) {
        const top = u.valToPos(spec.band[1], "y", true);
        ctx.fillStyle = colour("--band");
        ctx.fillRect(bbox.left, top, bbox.width, u.valToPos(spec.band[0], "y", true) - top);
      }
      ctx.strokeStyle = colour("--mark");
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      for (const t of spec.marks) {
        const x = u.valToPos(t, "x", true);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
      ctx.restore();
    };
  }

  function build(spec) {
    const box = document.getElementById(`plot-${spec.key}`);
    const axis = { stroke: () => colour("--muted"), grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const options = {
      width: box.clientWidth,
      height: 172,
      padding: [8, 26, 0, 0],
      cursor: { sync: { key: "drive", setSeries: false }, drag: { x: true, y: false }, y: false },
      scales: {
        x: { time: false },
        y: { range: (u, low, high) => {
          if (low === null) return [0, 1];
          const least = spec.band ? [Math.min(low, spec.band[0]), Math.max(high, spec.band[1])] : [Math.min(low, 0), Math.max(high, 0)];
          const room = (least[1] - least[0] || 1) * 0.08;
          return [least[0] === 0 ? 0 : least[0] - room, least[1] === 0 ? 0 : least[1] + room];
        } },
      },
      axes: [
        { ...axis, size: 26, splits: (u, i, from, to) => ticks(from, to, u.bbox.width / devicePixelRatio)[0],
          values: (u, splits) => splits.map((t) => clock(t, splits.length > 1 ? splits[1] - splits[0] : 0.1)) },
        { ...axis, size: gutter },
      ],
      series: [
        { label: "time", value: (u, t) => (t === null || t === undefined ? "–" : `${t.toFixed(2)} s`) },
        ...spec.lines.map((line) => ({
          label: line.title, stroke: () => colour(line.colour), width: 1.6, dash: line.dash || undefined, spanGaps: false, points: { show: false },
          value: (u, v) => (v === null || v === undefined ? "–" : `${+v.toPrecision(4)}${spec.unit === "1" ? "" : " " + spec.unit}`),
        })),
      ],
      hooks: {
        drawClear: [backdrop(spec)],
        setScale: [(u, key) => { if (key === "x" && !applying) show(u.scales.x.min, u.scales.x.max); }],
        setCursor: [(u) => point(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
        ready: [(u) => u.over.addEventListener("dblclick", () => setTimeout(() => show(0, total)))],
      },
    };
    // 2: a gap goes on to the line's next point, also where other lines have points within it
    const joined = uPlot.join(spec.lines.map((line) => [line.t, line.v]), spec.lines.map(() => [0, 2]));
    return new uPlot(options, joined, box);
  }

  applying = true;
  for (const spec of data.plots) plots.push(build(spec));
  applying = false;
  show(0, total);

  const resize = () => { for (const plot of plots) plot.setSize({ width: plot.root.parentElement.clientWidth, height: 172 }); drawRuler(); };
  addEventListener("resize", resize);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((plot) => plot.redraw()));

  const actions = { whole: () => show(0, total), closer: () => zoom(0.5), wider: () => zoom(2), earlier: () => pan(-0.25), later: () => pan(0.25) };
  for (const button of document.querySelectorAll("button[data-do]")) button.addEventListener("click", actions[button.dataset.do]);
  document.getElementById("drive-view").addEventListener("keydown", (event) => {
    const keys = { ArrowLeft: "earlier", ArrowRight: "later", "+": "closer", "=": "closer", "-": "wider", Home: "whole", 0: "whole" };
    const name = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (name) { actions[name](); event.preventDefault(); }
  });
  for (const link of document.querySelectorAll("a[data-at]")) link.addEventListener("click", () => around(parseFloat(link.dataset.at)));
  for (const bar of document.querySelectorAll(".bar")) bar.addEventListener("dblclick", () => {
    const [a, b] = [parseFloat(bar.style.getPropertyValue("--a")), parseFloat(bar.style.getPropertyValue("--b"))];
    show(a - 0.2 * (b - a) - 0.5, b + 0.2 * (b - a) + 0.5);
  });

  const table = document.getElementById("event-table");
  const notable = document.getElementById("notable-only");
  if (table && notable) {
    const apply = () => table.classList.toggle("notable-only", notable.checked);
    notable.addEventListener("change", apply);
    apply();
  }
  const copy = document.getElementById("copy");
  copy.addEventListener("click", async () => {
    const command = document.getElementById("command");
    try {
      await navigator.clipboard.writeText(command.textContent);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(command); // no clipboard for this page: select, so that Ctrl+C does it
    }
  });
  document.documentElement.dataset.ready = "yes";
})();
