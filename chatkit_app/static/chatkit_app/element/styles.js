/** The element's style sheet, constructed, so that it needs no `style-src` beyond the site's own. */

let sheet = null;

export function styleSheet() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS_TEXT);
  }
  return sheet;
}

const CSS_TEXT = `
:host {
  display: block;
  contain: content;
}
[hidden] {
  display: none !important;
}
*, *::before, *::after {
  box-sizing: border-box;
}

.frame {
  --hue: 240;
  --tint: 4%;
  --base-size: 15px;
  --space: 1rem;
  --round: 1.375rem;
  --round-small: 0.75rem;
  --font: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --font-mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --surface: #fff;
  --text: hsl(var(--hue) var(--tint) 11%);
  --muted: hsl(var(--hue) var(--tint) 42%);
  --line: hsl(var(--hue) var(--tint) 88%);
  --fill: hsl(var(--hue) var(--tint) 95.5%);
  --fill-strong: hsl(var(--hue) var(--tint) 91%);
  --accent: var(--text);
  --on-accent: var(--surface);
  --danger: #b3261e;
  --danger-fill: #fdf0ef;
  --link: #0b57d0;
  --shadow: 0 1px 2px rgb(0 0 0 / 4%), 0 4px 16px rgb(0 0 0 / 5%);
  color-scheme: light;
  container-type: inline-size;
  position: relative;
  block-size: 100%;
  overflow: hidden;
  background: var(--surface);
  color: var(--text);
  font: 400 var(--base-size) / 1.55 var(--font);
  text-align: start;
}
.frame[data-scheme="dark"] {
  --surface: hsl(var(--hue) var(--tint) 10%);
  --text: hsl(var(--hue) var(--tint) 93%);
  --muted: hsl(var(--hue) var(--tint) 66%);
  --line: hsl(var(--hue) var(--tint) 23%);
  --fill: hsl(var(--hue) var(--tint) 16%);
  --fill-strong: hsl(var(--hue) var(--tint) 22%);
  --danger: #ffb4ab;
  --danger-fill: #3a1c1a;
  --link: #a8c7fa;
  --shadow: 0 1px 2px rgb(0 0 0 / 30%), 0 4px 16px rgb(0 0 0 / 25%);
  color-scheme: dark;
}
.frame[data-radius="round"] { --round: 1rem; --round-small: 0.625rem; }
.frame[data-radius="soft"] { --round: 0.5rem; --round-small: 0.375rem; }
.frame[data-radius="sharp"] { --round: 0; --round-small: 0; }
.frame[data-density="compact"] { --space: 0.75rem; }
.frame[data-density="spacious"] { --space: 1.375rem; }

.main, .history {
  display: flex;
  flex-direction: column;
  block-size: 100%;
}
button, textarea {
  font: inherit;
  color: inherit;
}
button {
  cursor: pointer;
}
:focus-visible {
  outline: 2px solid var(--link);
  outline-offset: 2px;
}
.scroller:focus {
  outline: none;
}
p, h2, ul, ol, blockquote {
  margin: 0;
  padding: 0;
}
ul[role="list"], ol[role="list"] {
  list-style: none;
}
.visually-hidden {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  margin: -1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.icon {
  display: block;
  flex: none;
  inline-size: 1.25rem;
  block-size: 1.25rem;
  fill: none;
  stroke: currentcolor;
  stroke-width: 1.75;
  stroke-linecap: round;
  stroke-linejoin: round;
}
:host(:dir(rtl)) .icon[data-icon^="back"] {
  transform: scaleX(-1);
}

.header {
  display: flex;
  flex: none;
  align-items: center;
  gap: 0.25rem;
  min-block-size: 3.25rem;
  padding: 0.375rem 0.625rem;
}
.header-actions {
  display: contents;
}
.title {
  flex: 1;
  min-inline-size: 0;
  padding-inline: 0.5rem;
  overflow: hidden;
  font-size: 1em;
  font-weight: 600;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.header > .icon-button:first-of-type:not(:first-child) {
  margin-inline-start: auto;
}
.icon-button {
  display: grid;
  flex: none;
  place-items: center;
  inline-size: 2.5rem;
  block-size: 2.5rem;
  padding: 0;
  border: 0;
  border-radius: var(--round-small);
  background: none;
  color: var(--muted);
}
.icon-button:hover {
  background: var(--fill);
  color: var(--text);
}

.thread {
  position: relative;
  flex: 1;
  min-block-size: 0;
}
.scroller {
  display: flex;
  flex-direction: column;
  block-size: 100%;
  overflow-y: auto;
  overscroll-behavior: contain;
  scrollbar-width: thin;
  scrollbar-color: var(--line) transparent;
}
.thread .scroller {
  mask-image: linear-gradient(transparent, #000 0.75rem calc(100% - 1.25rem), transparent);
}
.column, .start, .composer {
  inline-size: 100%;
  max-inline-size: 46rem;
  margin-inline: auto;
  padding-inline: var(--space);
}
.column {
  padding-block: 0.75rem 1.75rem;
}
.items {
  display: flex;
  flex-direction: column;
  gap: calc(var(--space) * 1.25);
}
.item {
  min-inline-size: 0;
  overflow-wrap: anywhere;
}
.user {
  display: flex;
  flex-direction: column;
  gap: 0.375rem;
  align-items: flex-end;
}
.bubble {
  max-inline-size: min(85%, 34rem);
  padding: 0.5rem 0.9375rem;
  border-radius: var(--round);
  background: var(--fill);
  white-space: pre-wrap;
}
.quoted {
  max-inline-size: min(85%, 34rem);
  padding-inline-start: 0.75rem;
  border-inline-start: 2px solid var(--line);
  color: var(--muted);
  font-size: 0.9em;
}
.attachments {
  display: flex;
  flex-wrap: wrap;
  gap: 0.375rem;
  justify-content: flex-end;
}
.attachments > li {
  padding: 0.25rem 0.625rem;
  border: 1px solid var(--line);
  border-radius: var(--round-small);
  font-size: 0.9em;
}
.fallback {
  padding-inline-start: 0.75rem;
  border-inline-start: 2px solid var(--line);
  color: var(--muted);
  white-space: pre-line;
}

.markdown > * + * {
  margin-block-start: 0.75em;
}
.markdown :is(h3, h4, h5, h6) {
  margin-block: 1.25em 0;
  font-size: 1em;
  font-weight: 650;
  line-height: 1.35;
}
.markdown h3 { font-size: 1.2em; }
.markdown h4 { font-size: 1.08em; }
.markdown > :first-child { margin-block-start: 0; }
.markdown :is(ul, ol) {
  padding-inline-start: 1.5em;
}
.markdown li + li, .markdown li > :is(ul, ol, p + p) {
  margin-block-start: 0.25em;
}
.markdown li::marker {
  color: var(--muted);
}
.markdown a {
  color: var(--link);
  text-underline-offset: 0.15em;
}
.markdown blockquote {
  padding-inline-start: 0.875rem;
  border-inline-start: 3px solid var(--line);
  color: var(--muted);
}
.markdown hr {
  border: 0;
  border-block-start: 1px solid var(--line);
  margin-block: 1.25em;
}
.markdown code {
  padding: 0.125em 0.3125em;
  border-radius: 0.3125em;
  background: var(--fill);
  font: 0.9em var(--font-mono);
}
.markdown pre {
  overflow-x: auto;
  padding: 0.75rem 0.875rem;
  border-radius: var(--round-small);
  background: var(--fill);
  line-height: 1.5;
  text-align: left;
}
.markdown pre code {
  padding: 0;
  background: none;
  overflow-wrap: normal;
}
.markdown .table {
  overflow-x: auto;
}
.markdown table {
  border-collapse: collapse;
  font-size: 0.95em;
}
.markdown :is(th, td) {
  padding: 0.375rem 0.75rem;
  border-block-end: 1px solid var(--line);
  text-align: start;
  overflow-wrap: normal;
}
.markdown :is(th, td):first-child { padding-inline-start: 0; }

.progress, .stopped, .failure, .notices {
  margin-block-start: calc(var(--space) * 1.25);
}
.progress, .stopped {
  color: var(--muted);
}
.stopped {
  font-size: 0.9em;
}
.progress {
  inline-size: fit-content;
  background: linear-gradient(100deg, var(--muted) 40%, var(--line) 50%, var(--muted) 60%) 100% 0 / 250% 100%;
  background-clip: text;
  color: transparent;
  animation: shimmer 1.8s linear infinite;
}
@keyframes shimmer {
  to { background-position: -50% 0; }
}
.failure, .notice {
  display: flex;
  gap: 0.625rem;
  align-items: center;
  padding: 0.625rem 0.875rem;
  border-radius: var(--round-small);
  background: var(--danger-fill);
  color: var(--danger);
}
.failure > span {
  flex: 1;
  min-inline-size: 0;
  overflow-wrap: anywhere;
}
.notice {
  background: var(--fill);
  color: var(--text);
}
.notice[data-level="danger"] {
  background: var(--danger-fill);
  color: var(--danger);
}
.notice + .notice {
  margin-block-start: 0.5rem;
}
.button {
  flex: none;
  padding: 0.3125rem 0.875rem;
  border: 1px solid currentcolor;
  border-radius: 2rem;
  background: none;
  font-weight: 550;
}
.frame[data-radius="sharp"] .button { border-radius: 0; }
.jump {
  position: absolute;
  inset-block-end: 0.5rem;
  inset-inline-start: calc(50% - 1.125rem);
  inline-size: 2.25rem;
  block-size: 2.25rem;
  border: 1px solid var(--line);
  border-radius: 50%;
  background: var(--surface);
  box-shadow: var(--shadow);
}

.start {
  display: flex;
  flex: 1 0 auto;
  flex-direction: column;
  gap: calc(var(--space) * 1.25);
  justify-content: flex-end;
  padding-block: 2rem 1rem;
}
.greeting {
  padding-inline: 0.5rem;
  font-size: 1.6em;
  font-weight: 600;
  letter-spacing: -0.01em;
  line-height: 1.25;
  text-wrap: balance;
}
.prompts > li + li {
  margin-block-start: 0.125rem;
}
.prompt {
  display: flex;
  gap: 0.75rem;
  align-items: center;
  inline-size: 100%;
  padding: 0.625rem 0.5rem;
  border: 0;
  border-radius: var(--round-small);
  background: none;
  text-align: start;
}
.prompt:hover {
  background: var(--fill);
}
.prompt .icon {
  color: var(--muted);
}

.composer {
  flex: none;
  padding-block: 0.25rem calc(var(--space) * 0.875);
}
.box {
  display: flex;
  gap: 0.25rem;
  align-items: flex-end;
  padding: 0.375rem;
  border: 1px solid var(--line);
  border-radius: calc(var(--round) + 0.25rem);
  background: var(--surface);
  box-shadow: var(--shadow);
  cursor: text;
}
.frame[data-radius="sharp"] .box { border-radius: 0; }
.frame[data-radius="soft"] .box { border-radius: 0.75rem; }
.box:focus-within {
  border-color: var(--muted);
}
.input {
  flex: 1;
  min-inline-size: 0;
  max-block-size: min(12rem, 40cqh);
  padding: 0.375rem 0.625rem;
  border: 0;
  outline: none;
  background: none;
  resize: none;
  field-sizing: content;
  line-height: 1.5;
}
.input::placeholder {
  color: var(--muted);
  opacity: 1;
}
.send {
  display: grid;
  flex: none;
  place-items: center;
  inline-size: 2.25rem;
  block-size: 2.25rem;
  padding: 0;
  border: 0;
  border-radius: var(--round);
  background: var(--accent);
  color: var(--on-accent);
}
.send[aria-disabled="true"] {
  background: var(--fill-strong);
  color: var(--muted);
  cursor: default;
}
.send[data-stops] .icon, .send:not([data-stops]) .stop-square {
  display: none;
}
.stop-square {
  inline-size: 0.75rem;
  block-size: 0.75rem;
  border-radius: 0.125rem;
  background: currentcolor;
}
.read-only, .disclaimer {
  color: var(--muted);
  font-size: 0.87em;
  text-align: center;
}
.read-only {
  padding: 0.75rem;
  border-radius: var(--round-small);
  background: var(--fill);
}
.disclaimer {
  margin-block-start: 0.5rem;
}
.disclaimer[data-contrast="high"] {
  color: var(--text);
}

.history {
  position: absolute;
  inset: 0;
  background: var(--surface);
}
.history .scroller {
  flex: 1;
  min-block-size: 0;
  padding: 0.25rem var(--space) var(--space);
}
.threads, .history-status {
  inline-size: 100%;
  max-inline-size: 46rem;
  margin-inline: auto;
}
.history-status {
  padding: 2rem 0.5rem;
  color: var(--muted);
  text-align: center;
}
.thread-row {
  display: flex;
  gap: 1rem;
  align-items: baseline;
  inline-size: 100%;
  padding: 0.625rem 0.75rem;
  border: 0;
  border-radius: var(--round-small);
  background: none;
  text-align: start;
}
.thread-row:hover, .thread-row[aria-current] {
  background: var(--fill);
}
.thread-title {
  flex: 1;
  min-inline-size: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.thread-row time {
  flex: none;
  color: var(--muted);
  font-size: 0.87em;
}

@container (max-width: 26rem) {
  .bubble, .quoted { max-inline-size: 92%; }
  .greeting { font-size: 1.4em; }
}
@media (prefers-reduced-motion: reduce) {
  .progress { animation: none; background: none; color: var(--muted); }
}
@media (forced-colors: active) {
  .box, .bubble, .send { border: 1px solid; }
  .icon-button, .send { forced-color-adjust: auto; }
  .progress { background: none; color: inherit; }
}
`;
