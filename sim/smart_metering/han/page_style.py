"""How the display page looks: one column, tables that become cards where the screen is narrow, light and dark."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5a6675;--paper:#f6f7f9;--card:#fff;--line:#dde2e8;--good:#0b6b3a;
--bad:#a3160f;--tint:#0f5a8a}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf0;--soft:#9aa6b4;--paper:#12171d;--card:#1a2129;--line:#2c3641;
--good:#6fd39b;--bad:#ff9a90;--tint:#7fc4f0}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
header,main{max-width:64rem;margin:0 auto;padding:1rem}
header{padding-top:1.5rem}
h1{font-size:1.4rem;margin:0;line-height:1.2}
header p{margin:.2rem 0 0;color:var(--soft)}
h2{font-size:1.05rem;margin:0 0 .6rem}
section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem;margin:0 0 1rem}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--soft);font-size:.85rem;white-space:nowrap}
table+h2{margin-top:1.2rem}
th,td{padding:.35rem .6rem .35rem 0;vertical-align:top;overflow-wrap:anywhere}
tbody tr{border-top:1px solid var(--line)}
a{color:var(--tint)}
.good{color:var(--good)}.bad{color:var(--bad)}
form{display:grid;gap:.6rem;margin-top:.8rem;max-width:34rem}
label{display:grid;gap:.2rem;font-size:.9rem;color:var(--soft)}
select,input,button{font:inherit;padding:.5rem;border:1px solid var(--line);border-radius:.4rem;width:100%;
background:var(--paper);color:var(--ink);min-width:0}
button{background:var(--tint);color:var(--card);border:0;font-weight:600;cursor:pointer}
:focus-visible{outline:3px solid var(--tint);outline-offset:2px}
@media(max-width:40rem){
header,main{padding:.8rem}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:block;padding:.5rem 0}
td{display:grid;grid-template-columns:7.5rem 1fr;gap:.4rem;padding:.1rem 0}
td::before{content:attr(data-of);color:var(--soft);font-size:.85rem}
}
"""
