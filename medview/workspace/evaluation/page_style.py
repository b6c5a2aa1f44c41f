"""How a report looks: on light and dark screens, and on paper."""

STYLE = """
:root { color-scheme: light dark; --ground: #fbfbfc; --card: #ffffff; --ink: #1b1f24; --soft: #5d6671; --line: #d9dee4;
  --grid: #e8ebef; --warn: #8a4b00; --warn-ground: #fff4e0; --good: #10753f; --heat: 0, 114, 178;
  --c0: #0072b2; --c1: #c2500a; --c2: #007f5c; --c3: #a8437f; --c4: #8d6a00; --c5: #5b6b8c; }
@media (prefers-color-scheme: dark) { :root { --ground: #15181c; --card: #1d2126; --ink: #e6e9ed; --soft: #9aa5b1;
  --line: #363c44; --grid: #2a2f36; --warn: #ffc069; --warn-ground: #33270f; --good: #5fd394; --heat: 86, 180, 233;
  --c0: #56b4e9; --c1: #f08a4b; --c2: #3fc79a; --c3: #e08fc0; --c4: #e0b93f; --c5: #a3b3d6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px 32px 48px; max-width: 1180px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; font-weight: 650; }
h2 { font-size: 18px; margin: 36px 0 12px; font-weight: 650; }
h3 { font-size: 14px; margin: 0 0 8px; font-weight: 600; }
p { margin: 0 0 8px; max-width: 82ch; }
.soft { color: var(--soft); }
.notice { color: var(--soft); font-size: 13px; margin-top: 2px; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0 4px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; min-width: 168px; }
.tile .name { font-size: 13px; color: var(--soft); }
.tile .value { font-size: 28px; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile .ends { font-size: 13px; color: var(--soft); font-variant-numeric: tabular-nums; }
.warnings { background: var(--warn-ground); border-left: 4px solid var(--warn); padding: 10px 16px; margin: 18px 0;
  border-radius: 4px; }
.warnings p { margin: 2px 0; }
.charts { display: flex; flex-wrap: wrap; gap: 16px; }
.chart, .box { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; }
.wide { width: 100%; }
.key { font-size: 13px; color: var(--soft); margin-top: 6px; display: flex; flex-wrap: wrap; gap: 4px 14px;
  max-width: 320px; }
.wide .key { max-width: none; }
.key i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 6px; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
svg .strong { fill: var(--ink); }
svg .axis { stroke: var(--soft); stroke-width: 1; fill: none; }
svg .grid { stroke: var(--grid); stroke-width: 1; fill: none; }
svg .guide { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 4; fill: none; }
svg .curve { stroke-width: 2; fill: none; stroke-linejoin: round; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 5px 14px 5px 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap;
  vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: 13px; }
th:first-child, td:first-child { text-align: left; }
td small { display: block; color: var(--soft); font-size: 12px; }
table.matrix td, table.matrix th { padding: 7px 12px; text-align: center; border: 1px solid var(--line); }
table.matrix th.row { text-align: right; }
table.matrix td small { color: inherit; opacity: .8; }
.worst { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 14px; }
.worst figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.worst .frame { background: #000; display: flex; justify-content: center; align-items: center; height: 190px; }
.worst img { max-width: 100%; max-height: 190px; display: block; image-rendering: auto; }
.worst figcaption { padding: 8px 12px 10px; font-size: 13px; overflow-wrap: anywhere; }
details summary { cursor: pointer; color: var(--soft); }
code { font: 12.5px ui-monospace, Consolas, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { padding: 0; max-width: none; font-size: 12px; print-color-adjust: exact;
    -webkit-print-color-adjust: exact; }
  .tile, .chart, .box, .worst figure { break-inside: avoid; }
  details { display: none; } h2 { break-after: avoid; }
  :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --grid: #ddd; --warn: #8a4b00;
    --warn-ground: #fff4e0; --heat: 0, 114, 178; --c0: #0072b2; --c1: #c2500a; --c2: #007f5c; --c3: #a8437f; --c4: #8d6a00;
    --c5: #5b6b8c; } }
"""

COLOURS = 6
"""Of curves, ``--c0`` to ``--c5``."""
