"""Style and script of the report, which are inline because the page is a single file."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #ffffff; --ink: #1d2126; --soft: #565d66; --rule: #dcdad5;
  --s0: #1d5fb8; --s1: #b8470b; --good: #1b6e3c; --mixed: #8a5a00; --poor: #b3261e; --unknown: #565d66; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15171a; --card: #1e2125; --ink: #e8e6e1; --soft: #a9b0b8; --rule: #383d43;
    --s0: #7fb2ff; --s1: #ffa066; --good: #74d69a; --mixed: #f0bd5a; --poor: #ff9288; --unknown: #a9b0b8; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1560px; margin: 0 auto; padding: 20px 16px 48px; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.25rem; margin: 40px 0 8px; }
h3 { font-size: 1rem; margin: 0 0 4px; }
p { margin: 0 0 8px; max-width: 80ch; }
.kicker, figcaption, .legend, dt, th { color: var(--soft); font-size: .875rem; }
.kicker { margin: 0; }
.verdict { font-size: 1.3rem; margin: 12px 0 8px; max-width: 70ch; padding-left: 12px; border-left: 5px solid; }
.verdict.good, .good .tag { border-color: var(--good); }
.verdict.mixed, .mixed .tag { border-color: var(--mixed); }
.verdict.poor, .poor .tag { border-color: var(--poor); }
.verdict.unknown, .unknown .tag { border-color: var(--unknown); }
.good .tag { color: var(--good); } .mixed .tag { color: var(--mixed); }
.poor .tag { color: var(--poor); } .unknown .tag { color: var(--unknown); }
.tag { font-size: .8rem; font-weight: 600; border: 1px solid; border-radius: 9px; padding: 0 8px; white-space: nowrap; }
.findings, .charts { display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 345px), 1fr)); }
.findings { list-style: none; margin: 0; padding: 0; }
.findings li, figure { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px; }
.findings li > :last-child { margin: 0; }
.findings li { min-width: 0; }
pre { font-size: .875rem; margin: 0; padding: 6px 8px; white-space: pre-wrap;
  background: var(--paper); }
.next::before { content: "Next: "; font-weight: 600; }
dl { display: grid; gap: 8px 24px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 240px), 1fr)); margin: 0; }
dd { margin: 0; }
details { margin-top: 12px; }
summary { cursor: pointer; }
figure { margin: 0; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 0 8px; border-radius: 4px; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 0 0 4px; }
.legend i { display: inline-block; width: 20px; border-top: 3px solid; vertical-align: middle; margin-right: 6px; }
.legend i.level { border-top-style: dashed; border-top-width: 2px; }
.legend .s0 { border-color: var(--s0); } .legend .s1 { border-color: var(--s1); }
svg { display: block; width: 100%; height: auto; margin-bottom: 6px; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .end { text-anchor: end; } svg .mid { text-anchor: middle; }
svg .rule { stroke: var(--rule); }
svg polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
svg .level { stroke-width: 1.5; stroke-dasharray: 6 4; }
svg .s0 { stroke: var(--s0); } svg .s1 { stroke: var(--s1); }
svg circle.s0 { fill: var(--s0); } svg circle.s1 { fill: var(--s1); }
svg .strip { fill: var(--ink); opacity: 0; } svg .strip:hover { opacity: .12; }
.pair { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); }
.pair img { width: 100%; }
#grids { display: grid; gap: 12px; }
#control { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; max-width: none; }
#control[hidden], #grids figure[hidden] { display: none; }
#time { flex: 1 1 200px; max-width: 720px; min-width: 0; height: 32px; accent-color: var(--s0); }
#when { min-width: 12em; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 4px 16px 4px 0; border-bottom: 1px solid var(--rule); }
td:not(:last-child) { white-space: nowrap; }
:focus-visible { outline: 3px solid var(--s0); outline-offset: 2px; }
"""

# The page lists the newest snapshot first; it is at the right end of the slider.
SCRIPT = """
const time = document.getElementById("time");
if (time && time.max > 0) {
  const figures = [...document.querySelectorAll("#grids figure")].reverse();
  const show = () => {
    figures.forEach((figure, i) => { figure.hidden = i !== Number(time.value); });
    const text = figures[time.value].querySelector("figcaption").textContent;
    document.getElementById("when").textContent = text;
    time.setAttribute("aria-valuetext", text);
  };
  time.value = time.max;
  time.addEventListener("input", show);
  document.getElementById("control").hidden = false;
  show();
}
"""
