#include "report/page_style.h"

namespace whence::report {

// The colours of good, bad and links are palette.h's, darkened or lightened until text in them has a contrast
// of 4.5.
const std::string_view page_style = R"css(
:root {
  color-scheme: light dark;
  --page: #fafaf8; --card: #ffffff; --text: #1d2126; --quiet: #5a626c; --line: #e2e3e0; --link: #0068a3;
  --good: #00795a; --bad: #b84e00; --shadow: 0 1px 2px rgb(20 24 30 / 6%), 0 3px 12px rgb(20 24 30 / 5%);
  --figure: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1d2126; --text: #e6e8ea; --quiet: #a0a8b1; --line: #333941; --link: #74bdf0;
    --good: #3ecfa2; --bad: #f39a55; --shadow: none; --figure: #ffffff;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", Arial, sans-serif;
  font-variant-numeric: lining-nums tabular-nums; overflow-wrap: break-word;
}
h1, h2, h3, p, figure, dl, dd, ol { margin: 0; padding: 0; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 3px; }

.first, .rest { max-width: 1360px; margin: 0 auto; padding: 0 clamp(16px, 2.6vw, 36px); }
.first { display: grid; gap: 20px 28px; padding-top: 24px; padding-bottom: 20px; }
h1 { font-size: clamp(1.35rem, 1rem + 0.9vw, 1.7rem); line-height: 1.2; font-weight: 680; letter-spacing: -0.012em; text-wrap: balance; }
.subtitle { color: var(--quiet); margin-top: 4px; font-size: 0.9rem; }
.answer { margin-top: 12px; font-size: 1.08rem; line-height: 1.5; max-width: 46em; text-wrap: pretty; }
.headlines { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 10px; margin-top: 16px; }
.headline { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 8px; padding: 8px 12px 9px; }
.headline.good { border-left-color: var(--good); }
.headline.bad { border-left-color: var(--bad); }
.headline { display: flex; flex-direction: column; }
.headline dt { order: 2; font-size: 0.85rem; line-height: 1.3; }
.headline .value { order: 1; font-size: 1.35rem; font-weight: 660; line-height: 1.25; letter-spacing: -0.01em; }
.headline .note { order: 3; font-size: 0.78rem; line-height: 1.35; color: var(--quiet); }
.sign { font-weight: 700; margin-left: 0.3em; font-size: 0.85em; }
.good .sign { color: var(--good); }
.bad .sign { color: var(--bad); }

figure { background: var(--figure); border: 1px solid var(--line); border-radius: 8px; box-shadow: var(--shadow); overflow: hidden; display: flex; flex-direction: column; }
figure .drawing { padding: 8px; display: flex; justify-content: safe center; min-height: 0; overflow-x: auto; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { background: var(--card); border-top: 1px solid var(--line); padding: 8px 14px 9px; font-size: 0.86rem; line-height: 1.45; color: var(--text); }
figcaption .files { color: var(--quiet); white-space: nowrap; font-size: 0.8rem; margin-left: 0.5em; }

.rest { display: grid; gap: 0 40px; padding-bottom: 64px; }
nav { font-size: 0.9rem; padding: 18px 0; border-top: 1px solid var(--line); }
nav h2 { font-size: 0.78rem; font-weight: 650; color: var(--quiet); text-transform: uppercase; letter-spacing: 0.06em; margin-bottom: 6px; }
nav ol { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
main { min-width: 0; }
section { border-top: 1px solid var(--line); padding: 26px 0 30px; scroll-margin-top: 8px; }
section h2 { font-size: 1.3rem; line-height: 1.25; font-weight: 660; letter-spacing: -0.008em; text-wrap: balance; }
section p { max-width: 68ch; margin-top: 12px; text-wrap: pretty; }
.figures { display: flex; flex-wrap: wrap; gap: 20px; margin-top: 20px; align-items: flex-start; }
.figures figure { width: min(100%, var(--width)); }
summary { cursor: pointer; list-style: none; display: flex; align-items: baseline; gap: 10px; }
summary::-webkit-details-marker { display: none; }
summary::before { content: ""; flex: none; width: 0.5em; height: 0.5em; border: solid var(--quiet); border-width: 0 2px 2px 0; transform: rotate(-45deg) translate(-1px, -1px); }
details[open] > summary::before { transform: rotate(45deg) translate(-2px, -2px); }
summary h2 { display: inline; }
.inside { scroll-margin-top: 64px; }
section > details { margin-top: 18px; color: var(--quiet); font-size: 0.92rem; }

.table { overflow-x: auto; margin-top: 18px; }
table { border-collapse: collapse; font-size: 0.92rem; line-height: 1.4; }
caption { text-align: left; padding-bottom: 8px; color: var(--quiet); font-size: 0.86rem; max-width: 68ch; }
th, td { padding: 6px 18px 6px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 620; font-size: 0.84rem; color: var(--quiet); vertical-align: bottom; }
.number { text-align: right; white-space: nowrap; }
th.number { white-space: normal; min-width: 5em; }
td:not(.number) { min-width: 6em; }
th:last-child, td:last-child { padding-right: 4px; }

@media (min-width: 1000px) {
  .first { grid-template-columns: minmax(0, 1.12fr) minmax(0, 1fr); grid-template-rows: auto 1fr; align-items: start; }
  .headlines.threes { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .first.wide .headlines, .first.bare .headlines { grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); }
  .first .drawing img { width: 100%; height: auto; max-height: min(76vh, 660px); max-width: none; object-fit: contain; object-position: top; }
  .first figcaption { font-size: 0.8rem; padding: 6px 12px; }
  .first.wide { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .first.wide .statement { grid-column: 1 / -1; }
  .first.wide .only { grid-column: 1 / -1; }
  .first.tall .high { grid-column: 2; grid-row: 1 / -1; }
  .first.bare .statement { grid-column: 1 / -1; }
  .rest { grid-template-columns: 190px minmax(0, 1fr); }
  nav ol { display: block; }
  nav li { margin: 5px 0; line-height: 1.35; }
  nav .sticky { position: sticky; top: 20px; }
}
@media (max-width: 700px) {
  figure.broad img { min-width: min(var(--width), 560px); }
  .headline .value { font-size: 1.15rem; }
}
@media print {
  :root {
    --page: #fff; --card: #fff; --text: #000; --quiet: #444; --line: #ccc; --link: #000; --good: #00694e; --bad: #9c4200; --shadow: none; --figure: #fff;
  }
  body { font-size: 10.5pt; }
  .first, .rest { display: block; max-width: none; padding: 0; }
  .first figure { margin-top: 14px; }
  nav, .files { display: none; }
  figure, .table, .headline, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  .figures { display: block; }
  .figures figure { margin-bottom: 14px; max-width: 100%; }
  figure img { max-height: 20cm; width: auto; }
  details::details-content { content-visibility: visible; block-size: auto; opacity: 1; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
)css";

}  // namespace whence::report
