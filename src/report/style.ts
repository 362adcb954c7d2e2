/** How a report looks: one readable column, one accent, light and dark and on paper. Contrast is AA or better in all three. */
export const pageStyle = `
:root{color-scheme:light dark;--paper:#fffffc;--ink:#1c1c1a;--quiet:#5d5d58;--line:#d9d9d2;--accent:#0b5fa5;--wash:#f5f5ef;--note:#7a3b00;--note-wash:#fdf3e4}
@media (prefers-color-scheme:dark){:root{--paper:#191918;--ink:#ececea;--quiet:#a9a9a3;--line:#3a3a37;--accent:#7cb8f0;--wash:#232321;--note:#f0b878;--note-wash:#2c2418}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:3rem 1.25rem 6rem;max-width:60rem;background:var(--paper);color:var(--ink);font:17px/1.6 Charter,"Bitstream Charter","Iowan Old Style","Palatino Linotype",Georgia,serif}
h1,h2,h3,h4,nav,.kicker,table,figcaption,.note,.why,.warning{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:2.1rem;line-height:1.2;margin:.2rem 0 1rem;letter-spacing:-.015em}
h2{font-size:1.35rem;line-height:1.3;margin:3.5rem 0 1rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1rem;line-height:1.4;margin:0}
h4{font-size:.85rem;margin:0;color:var(--accent)}
p{margin:0 0 1rem;max-width:42rem;overflow-wrap:anywhere}
li{overflow-wrap:anywhere}
.kicker{margin:0;color:var(--accent);font-size:.8rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase}
.lead{font-size:1.2rem;line-height:1.5}
.result{border-left:4px solid var(--accent);background:var(--wash);padding:.7rem 1rem;max-width:44rem}
a{color:var(--accent);text-underline-offset:.15em}
a:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--accent);outline-offset:3px}
nav ol{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:1.5rem 0 0;padding:0;list-style:none;font-size:.9rem}
.table{overflow-x:auto;margin:1.25rem 0 2rem}
table{border-collapse:collapse;font-size:.85rem;line-height:1.4;font-variant-numeric:tabular-nums;min-width:60%}
caption{caption-side:top;text-align:left;color:var(--quiet);padding:0 0 .6rem;max-width:min(44rem,calc(100vw - 2.5rem))}
th,td{padding:.38rem .7rem .38rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
thead th{border-bottom:2px solid var(--line);font-weight:600;max-width:7.5rem;overflow-wrap:normal;vertical-align:bottom}
tbody th{font-weight:600;min-width:7.5rem}
td:not(.number){min-width:6rem}
td.number,tbody .number{text-align:right;white-space:nowrap;overflow-wrap:normal}thead .number{text-align:right}
@media screen and (max-width:40rem){.words table,.words tbody,.words tr,.words th,.words td,.words caption{display:block;min-width:0;text-align:left;border:0;padding:0}
.words caption{padding:0 0 .6rem}
.words thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.words tbody tr{border-top:1px solid var(--line);padding:.6rem 0}
.words tbody th{font-size:.95rem}
.words td.number,.words tbody .number{text-align:left;white-space:normal}
.words td::before{content:attr(data-label) ": ";color:var(--quiet)}}
figure{margin:1.5rem 0 2rem;overflow-x:auto}
figure svg{display:block;min-width:36rem;max-width:100%;height:auto}
figcaption{color:var(--quiet);font-size:.85rem;line-height:1.4;margin-top:.4rem;max-width:44rem}
.warning{border-left:4px solid var(--note);background:var(--note-wash);padding:.6rem .9rem;font-size:.9rem;line-height:1.45;max-width:none;overflow-wrap:anywhere}
.warning strong{color:var(--note)}
.answers{margin:0 0 2.25rem;content-visibility:auto;contain-intrinsic-size:auto 24rem}
.answers h3{overflow-wrap:anywhere}
.answers pre{margin:0;font:.85rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere;max-height:22rem;overflow-y:auto}
.answers .instruction{max-height:16rem;margin:0 0 .75rem}
.why,.note{color:var(--quiet);font-size:.8rem;margin:.1rem 0 .6rem}
.side-by-side{display:grid;grid-template-columns:repeat(auto-fit,minmax(16rem,1fr));gap:.75rem}
.answer{border:1px solid var(--line);border-radius:6px;padding:.7rem .85rem;background:var(--wash);min-width:0}
.nothing{color:var(--quiet)}
.code{background:var(--wash);border:1px solid var(--line);border-radius:6px;padding:.8rem 1rem;overflow-x:auto;font:.85rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace}
@media print{:root{--paper:#fff;--ink:#000;--quiet:#444;--line:#bbb;--accent:#000;--wash:#fff;--note:#000;--note-wash:#fff}body{max-width:none;padding:0;font-size:10.5pt}nav{display:none}h2{break-after:avoid}figure,.answer,tr{break-inside:avoid}.answers{content-visibility:visible}.table,figure{overflow:visible}figure svg{min-width:0}table{font-size:.68rem;max-width:100%}td.number,tbody .number{white-space:normal}th,td{padding-right:.5rem}tbody th,td:not(.number){min-width:0}.answers pre,.answers .instruction{max-height:none;overflow:visible}}
`.replaceAll("\n", "");
