/** The items of a thread. */
export const ITEM_STYLES = `
.item {
  min-inline-size: 0;
  overflow-wrap: anywhere;
}
.item [dir="auto"] {
  unicode-bidi: isolate;
}
.muted, .task .markdown {
  color: var(--muted);
}
.ellipsis {
  min-inline-size: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.shimmer {
  background: linear-gradient(100deg, var(--muted) 40%, var(--line) 50%, var(--muted) 60%) 100% 0 / 250% 100%;
  background-clip: text;
  color: transparent;
  animation: shimmer 1.8s linear infinite;
}
.enlarge, .tag, .citation, .source, .toggle {
  max-inline-size: 100%;
  padding: 0;
  border: 0;
  background: none;
  color: inherit;
  text-align: start;
  text-decoration: none;
}
.attached-file, .source, .toggle, .query, .choice, .source-place, .download {
  display: flex;
  gap: 0.5em;
  align-items: center;
}
.attached-file, .source-lists, .query, .question > .link-button, .download {
  font-size: 0.9em;
}

.user {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: 0.375em;
  justify-items: end;
}
.bubble, .quoted {
  max-inline-size: min(88%, 34em);
  white-space: pre-wrap;
}
.bubble {
  padding: 0.5em 0.9375em;
  border-radius: var(--round);
  background: var(--fill);
}
.quoted, .source-card p {
  display: -webkit-box;
  overflow: hidden;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 3;
}
.quoted, .fallback {
  padding-inline-start: 0.75em;
  border-inline-start: 2px solid var(--line);
  color: var(--muted);
}
.tag {
  padding: 0 0.4375em;
  border-radius: 0.4375em;
  background: var(--info-fill);
  color: var(--info);
}
button.tag:hover, .download:hover {
  text-decoration: underline;
}
.attachments {
  display: flex;
  flex-wrap: wrap;
  gap: 0.375em;
  align-items: end;
  justify-content: end;
}
.attached-file {
  max-inline-size: min(18em, 100%);
  padding: 0.5em 0.75em;
  border: 1px solid var(--line);
  border-radius: var(--round-small);
}
.attached-file > :last-child:not(.ellipsis) {
  flex: none;
}
.enlarge {
  display: block;
  overflow: hidden;
  border-radius: var(--round-small);
  background: var(--fill);
  cursor: zoom-in;
}
.enlarge img {
  display: block;
  max-inline-size: 100%;
  max-block-size: 28em;
  animation: appear 0.3s;
}
.attachments .enlarge img {
  inline-size: 7em;
  block-size: 7em;
  object-fit: cover;
}
.attachments > :only-child .enlarge img {
  inline-size: auto;
  min-inline-size: 4em;
  block-size: auto;
  max-block-size: 15em;
}
@keyframes appear {
  from { opacity: 0; }
}
.lightbox {
  max-inline-size: none;
  max-block-size: none;
  padding: 0;
  border: 0;
  background: none;
  cursor: zoom-out;
}
.lightbox::backdrop {
  background: rgb(0 0 0 / 85%);
}
.lightbox img {
  display: block;
  max-inline-size: calc(100vw - 2em);
  max-block-size: calc(100dvh - 2em);
}
.lightbox .icon-button {
  position: fixed;
  inset-block-start: 0.75em;
  inset-inline-end: 0.75em;
  background: #333;
  color: #fff;
}

.parts > * + * {
  margin-block-start: 0.75em;
}
.citation {
  display: inline-flex;
  gap: 0.25em;
  align-items: center;
  max-inline-size: 14em;
  margin-inline: 0.25em;
  padding-inline: 0.5em;
  border-radius: 1em;
  background: var(--fill-strong);
  color: var(--muted) !important;
  font: 500 0.75em / 1.6 var(--font);
  vertical-align: 0.125em;
}
/* One that has an icon alone stands on the line like the others. */
.citation::before {
  content: "\u200b";
  margin-inline-end: -0.25em;
}
.citation:is(:hover, :focus-visible) {
  background: var(--text);
  color: var(--surface) !important;
}
.card {
  inline-size: max-content;
  max-inline-size: min(20em, 100vw - 1em);
  padding: 0.75em 0.875em;
  font-size: 0.9em;
  text-align: start;
  white-space: normal;
}
.source-card {
  display: grid;
  gap: 0.25em;
}
.source-place, .source > .icon, .source > :nth-child(3), .attached-file > .icon {
  color: var(--muted);
}
.source {
  inline-size: fit-content;
  margin-inline-start: -0.5em;
  padding: 0.1875em 0.5em;
  border-radius: var(--round-small);
}
:is(a, button).source:hover, .choice:is(:hover, :has(:checked)) {
  background: var(--fill);
}
.source > :nth-child(3) {
  flex: 0 9 auto;
  min-inline-size: 4em;
}
.source-group {
  margin-block-start: 0.375em;
}

.toggle {
  inline-size: fit-content;
  padding-block: 0.25em;
  color: var(--muted);
  cursor: pointer;
  list-style: none;
}
.toggle::-webkit-details-marker, .toggle:disabled > .icon {
  display: none;
}
.toggle:hover:enabled, summary.toggle:hover {
  color: var(--text);
}
.toggle:disabled {
  cursor: default;
}
.toggle > .icon:last-child {
  inline-size: 1em;
  transition: rotate 0.15s;
}
:is([open] > .toggle, .toggle[aria-expanded="true"]) > .icon:last-child {
  rotate: 90deg;
}
:is([open] > .toggle, .toggle[aria-expanded="true"]):dir(rtl) > .icon:last-child {
  rotate: -90deg;
}
.record {
  max-block-size: 20em;
  margin-block: 0.25em 0.5em;
  padding: 0.75em;
  overflow: auto;
  border-radius: var(--round-small);
  background: var(--fill);
  font: 0.87em / 1.5 var(--font-mono);
  white-space: pre-wrap;
}
.fallback, dd, dt, legend {
  white-space: pre-line;
}

.toggle + ul, .parts + div > details {
  margin-block-start: 0.5em;
}
.task {
  position: relative;
  display: flex;
  gap: 0.625em;
}
.task:not(:last-child) {
  padding-block-end: 0.875em;
}
.task:not(:last-child)::before {
  content: "";
  position: absolute;
  inset-block: 1.75em 0.125em;
  inset-inline-start: 0.625em;
  border-inline-start: 1px solid var(--line);
}
.task-marker {
  padding-block-start: 0.125em;
  color: var(--muted);
}
.task-marker[data-icon="spinner"] > .icon {
  animation: spin 0.9s linear infinite;
}
@keyframes spin {
  to { rotate: 360deg; }
}
.task-body {
  flex: 1;
  min-inline-size: 0;
}
.queries {
  display: flex;
  flex-wrap: wrap;
  gap: 0.375em;
  margin-block: 0.25em;
}
.query {
  padding: 0.125em 0.75em;
  border-radius: 1em;
  background: var(--fill);
}

.panel {
  display: grid;
  gap: 1.125em;
  max-inline-size: 36em;
  margin: 0;
  padding: 1em 1.125em;
  border: 1px solid var(--line);
  border-radius: min(var(--round), 1.25em);
  outline: none;
}
.question {
  display: grid;
  gap: 0.25em;
  min-inline-size: 0;
  margin: 0;
  padding: 0;
  border: 0;
}
legend, dt {
  padding: 0 0 0.25em;
  font-weight: 600;
}
dd {
  margin: 0;
}
.question[data-skipped] > :not(legend, .link-button) {
  opacity: 0.5;
}
.question > p {
  text-align: match-parent;
  text-align: -webkit-match-parent;
}
.panel .link-button {
  justify-self: start;
  color: var(--muted);
}
.panel [aria-pressed="true"] {
  color: var(--text);
  font-weight: 600;
}
.choice {
  min-block-size: 2.25em;
  margin-inline: -0.625em;
  padding: 0.1875em 0.625em;
  border-radius: var(--round-small);
}
.choice > [type] {
  flex: none;
  inline-size: 1.0625em;
  block-size: 1.0625em;
  margin: 0;
  accent-color: var(--accent);
}
.panel .text-field {
  flex: 1;
  max-block-size: 12em;
  field-sizing: content;
  resize: none;
}
.question-buttons {
  display: flex;
  gap: 1em;
  align-items: center;
  justify-content: end;
}

.generated {
  position: relative;
  inline-size: fit-content;
  max-inline-size: min(24em, 100%);
  overflow: hidden;
  border-radius: var(--round-small);
}
.image-placeholder {
  display: grid;
  gap: 0.5em;
  place-content: center;
  place-items: center;
  inline-size: 24em;
  max-inline-size: 100%;
  aspect-ratio: 4 / 3;
  background: var(--fill);
  color: var(--muted);
}
.image-progress {
  position: absolute;
  inset: auto 0 0;
  block-size: 0.25em;
  background: linear-gradient(var(--accent) 0 0) no-repeat 0 0 / calc(var(--progress) * 100%) 100% var(--fill-strong);
}
/* A rough picture has fewer pixels than the last one: nothing moves when that comes. */
.generated:has(> .image-progress:not([hidden])) img {
  inline-size: 24em;
}
.download {
  inline-size: fit-content;
  margin-block-start: 0.5em;
  color: var(--muted);
  text-decoration: none;
}

.turn-actions {
  display: flex;
  margin-block: 0.375em -0.5em;
  margin-inline-start: -0.5em;
}
.turn-actions > .icon-button {
  inline-size: 2.125em;
  block-size: 2.125em;
}
.turn-actions[data-live] {
  visibility: hidden;
}
.turn-actions .icon {
  inline-size: 1.125em;
}
@media (hover: hover) {
  .item:not(:last-child, :hover) > .turn-actions:not(:focus-within) {
    opacity: 0;
  }
}
@media (forced-colors: active) {
  .bubble, .tag, .citation, .query, .image-placeholder { border: 1px solid; }
}
@media (forced-colors: active), (prefers-reduced-motion: reduce) {
  .shimmer { background: none; color: var(--muted); animation: none; }
}
`;
