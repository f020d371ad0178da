/** Light and dark as the reader has it; one column on a phone, contents beside the text where there is room. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --text: light-dark(#1c2024, #e6e8ea); --soft: light-dark(#5b646d, #9aa4ae);
  --ground: light-dark(#ffffff, #14171a); --panel: light-dark(#f4f6f8, #1d2125); --line: light-dark(#dde2e7, #30363c);
  --link: light-dark(#0b5cad, #6cb2f5); --get: light-dark(#0b6b3a, #58c98b); --change: light-dark(#8a4b00, #e6a756);
  --remove: light-dark(#a32020, #f08585); }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0 auto; max-width: 78rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--text);
  font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; }
h2::first-letter { text-transform: uppercase; }
h3 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h3 a { color: inherit; text-decoration: none; }
h4 { font-size: .8rem; margin: 1.1rem 0 .25rem; color: var(--soft); font-weight: 600; }
p { margin: .4rem 0; max-width: 70ch; }
.version, small, .type { color: var(--soft); font-size: .85rem; }
code, pre, b { font: .88em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; margin: .5rem 0; overflow-x: auto; }
pre i { color: var(--soft); font-style: normal; }
b { font-weight: 700; } .GET { color: var(--get); } .POST, .PATCH { color: var(--change); } .DELETE { color: var(--remove); }
nav h2 { font-size: .95rem; margin: 1.2rem 0 .2rem; } nav h2 a { color: inherit; text-decoration: none; }
nav ul { list-style: none; margin: 0; padding: 0; } nav li { overflow-wrap: anywhere; }
nav li a { color: var(--text); text-decoration: none; font-size: .88rem; } nav li a:hover { text-decoration: underline; }
article { border-top: 1px solid var(--line); padding: 1.2rem 0; }
article:target { box-shadow: inset 3px 0 var(--link); padding-left: .9rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; font-weight: 400; padding: .35rem .8rem .35rem 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; } th { width: 24%; } td:nth-child(2) { width: 34%; color: var(--soft); }
td table { margin-top: .3rem; font-size: .95em; }
dl { display: grid; grid-template-columns: 3rem minmax(0, 1fr); gap: .3rem .6rem; margin: 0; font-size: .9rem; }
dt { font: 600 .9em/1.7 ui-monospace, monospace; } .fine { color: var(--get); } .problem { color: var(--remove); } dd { margin: 0; }
summary { cursor: pointer; color: var(--soft); font-size: .85rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (min-width: 62rem) {
  body { display: grid; grid-template-columns: 19rem minmax(0, 1fr); column-gap: 3rem; }
  header { grid-column: 1 / -1; }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding-bottom: 2rem; }
}
@media (max-width: 40rem) { table, tbody, tr, th, td { display: block; width: auto; } th, td { padding: 0; border: 0; }
  tr { border-top: 1px solid var(--line); padding: .4rem 0; } tr:first-child { border-top: 0; } td:nth-child(2) { width: auto; }
  td table { border-left: 2px solid var(--line); padding-left: .8rem; } }
`;
