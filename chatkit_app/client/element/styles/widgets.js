/** Widgets. */
export const WIDGET_STYLES = `
.widget {
  overflow: clip;
  overflow-clip-margin: 0.25em;
  --flush-inline: 0px;
  --flush-block: 0px;
}
.widget [data-busy]:not(button), .widget[data-busy] {
  opacity: 0.55;
  transition: opacity 0.2s;
}
.w-box, .w-radios {
  display: flex;
  gap: 0.5em;
}
.w-box > * {
  min-inline-size: 0;
}
.w-box[data-direction="row"] {
  align-items: center;
}
.w-box[data-direction="row"]:has(> :is(.w-button, .w-badge) + :is(.w-button, .w-badge)) {
  flex-wrap: wrap;
}
.w-box[data-direction="row"] > .w-control {
  flex: 1 1 6em;
}
:is(.w-box, .w-radios)[data-direction="col"] {
  flex-direction: column;
}
.w-box:not([style*="align-items"])[data-direction="col"] > :is(.w-button, .w-badge, .w-check, .w-choice):not([data-block]) {
  align-self: start;
}
.w-form, .w-box.w-body {
  gap: 0.75em;
}
.w-unknown:not(p), .w-transition {
  display: contents;
}
.w-transition > * {
  animation: appear 0.3s ease-out;
}
@keyframes appear {
  from { opacity: 0; transform: translateY(0.25em); }
}
.w-spacer {
  flex: 1 0 0;
}
.w-divider {
  margin: var(--spacing, 0) 0;
  border: 0 solid var(--line);
  border-block-start-width: var(--size, 1px);
}
.w-box[data-direction="row"] > .w-divider {
  align-self: stretch;
  margin: 0 var(--spacing, 0);
  border-width: 0;
  border-inline-start-width: var(--size, 1px);
}

.w-card {
  overflow: clip;
  inline-size: 100%;
  max-inline-size: 28em;
  border: 1px solid var(--line);
  border-radius: var(--round);
  background: var(--surface);
}
.w-card[data-size="sm"] { max-inline-size: 22em; }
.w-card[data-size="lg"] { max-inline-size: 36em; }
.w-card[data-size="full"] { max-inline-size: none; }
.w-status {
  display: flex;
  gap: 0.5em;
  align-items: center;
  padding: 0.625em 1.125em;
  color: var(--muted);
  font-size: 0.9em;
}
.w-status > :is(.icon, img) {
  flex: none;
  inline-size: 1.25em;
  block-size: 1.25em;
  border-radius: 0.25em;
  object-fit: contain;
}
.w-body {
  --flush-inline: 1em;
  --flush-block: 1em;
  padding: 1em;
}
.w-status:not([hidden]) + .w-body:not([hidden]), .w-status:not([hidden]) + ul, .w-item + .w-item, .w-toggle {
  border: 0 solid var(--line);
  border-block-start-width: 1px;
}
.w-body[hidden] ~ .w-toggle {
  border: 0;
}
.w-footer {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5em;
  justify-content: end;
  padding: 0 1em 1em;
}
.w-toggle {
  display: flex;
  gap: 0.375em;
  align-items: center;
  justify-content: center;
  inline-size: 100%;
  padding: 0.5em 1em;
  background: none;
  color: var(--muted);
  font-size: 0.9em;
}
.w-toggle:hover, .w-cover:hover {
  background: var(--fill);
}
.w-toggle:focus-visible, .w-cover:focus-visible, .w-table:focus-visible {
  border-radius: var(--round-small);
  outline-offset: -2px;
}
.w-toggle[aria-expanded="true"] .icon {
  transform: scaleY(-1);
}
.w-item {
  position: relative;
  list-style: none;
}
.w-item > .w-box {
  position: relative;
  gap: 0.75em;
  padding: 0.75em 1em;
}
.w-cover {
  position: absolute;
  inset: 0;
  border: 0;
  background: none;
}
.w-cover:not([hidden]) + .w-box {
  pointer-events: none;
}
.w-cover + .w-box :is(a, button, input, select, textarea, label, [tabindex]) {
  pointer-events: auto;
}

.w-text {
  margin: 0;
  font-weight: 400;
  line-height: 1.45;
  overflow-wrap: anywhere;
  white-space: pre-line;
}
.w-title {
  font-weight: 600;
  line-height: 1.25;
}
.w-caption, p.w-unknown {
  color: var(--muted);
}
.w-label {
  font-weight: 500;
}
.w-clamp {
  display: -webkit-box;
  overflow: hidden;
  -webkit-box-orient: vertical;
}
.w-truncate {
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.w-icon, .w-image, .w-badge, .w-button {
  flex: none;
  max-inline-size: 100%;
}
.w-image {
  overflow: clip;
}
.w-image > img {
  display: block;
  inline-size: 100%;
  block-size: auto;
  max-block-size: 30em;
  object-fit: var(--fit, cover);
  object-position: var(--position, center);
}
.w-sized > img {
  block-size: 100%;
  max-block-size: none;
}
.w-image:has(> button) {
  inline-size: auto !important;
  block-size: auto !important;
}
.w-image > button {
  inline-size: 100%;
  font-size: 0.87em;
}
.w-framed {
  border: 1px solid var(--line);
}
.w-box > .w-flush {
  max-inline-size: none;
  margin-inline: calc(-1 * var(--flush-inline));
}
.w-image.w-flush:first-child {
  margin-block-start: calc(-1 * var(--flush-block));
}
.w-image.w-flush:last-child {
  margin-block-end: calc(-1 * var(--flush-block));
}

.widget [data-tone] { --tone: var(--text); --tone-fill: var(--fill-strong); --solid: var(--tone); --on-solid: var(--surface); }
.widget [data-tone="primary"] { --solid: var(--accent); --on-solid: var(--on-accent); }
.widget [data-tone="secondary"] { --solid: var(--muted); }
.widget [data-tone="info"] { --tone: var(--info); --tone-fill: var(--info-fill); }
.widget [data-tone="discovery"] { --tone: var(--discovery); --tone-fill: var(--discovery-fill); }
.widget [data-tone="success"] { --tone: var(--success); --tone-fill: var(--success-fill); }
.widget :is([data-tone="warning"], [data-tone="caution"]) { --tone: var(--warning); --tone-fill: var(--warning-fill); }
.widget [data-tone="danger"] { --tone: var(--danger); --tone-fill: var(--danger-fill); }
.w-badge, .w-button {
  border: 1px solid transparent;
  background: none;
  color: var(--tone);
  font-weight: 500;
}
.w-badge {
  padding: 0.125em 0.5em;
  overflow: hidden;
  border-radius: 0.4em;
  line-height: 1.5;
  text-overflow: ellipsis;
  white-space: nowrap;
}
:is(.w-badge, .w-button)[data-variant="soft"] { background: var(--tone-fill); }
:is(.w-badge, .w-button)[data-variant="outline"] { border-color: color-mix(in srgb, var(--tone) 15%, var(--line)); }
:is(.w-badge, .w-button)[data-variant="solid"] { background: var(--solid); color: var(--on-solid); }
.w-button {
  display: inline-flex;
  gap: 0.4em;
  align-items: center;
  justify-content: center;
  padding: 0.2em var(--gutter, 0.875em);
  line-height: 1.3;
  overflow-wrap: anywhere;
}
.w-button, .w-control {
  min-block-size: 2.4em;
  border-radius: var(--round-small);
}
.w-button:not(:disabled, [data-busy]):hover {
  box-shadow: inset 0 0 0 10em color-mix(in srgb, var(--tone) 8%, transparent);
}
.w-button:disabled {
  opacity: 0.5;
  cursor: default;
}
.w-button[data-uniform] {
  inline-size: 2.4em;
  padding: 0;
}
.widget [data-pill] {
  border-radius: 9em;
}
.widget [data-block] {
  inline-size: 100%;
}
.w-button[data-busy] {
  position: relative;
  cursor: progress;
}
.w-button[data-busy] > * {
  visibility: hidden;
}
.w-button[data-busy]::after {
  position: absolute;
  inline-size: 1.1em;
  block-size: 1.1em;
  border: 2px solid;
  border-block-start-color: transparent;
  border-radius: 50%;
  animation: turn 0.8s linear infinite;
  content: "";
}
@keyframes turn {
  to { transform: rotate(1turn); }
}

.w-control {
  inline-size: 100%;
  padding: 0.4em var(--gutter, 0.75em);
  border: 1px solid var(--field-line);
  background: none;
  line-height: 1.4;
}
.w-control:is([data-variant="soft"], [data-variant="solid"]) {
  border-color: transparent;
  background: var(--fill-strong);
}
.w-control[data-variant="ghost"] {
  border-color: transparent;
}
.w-control:hover:not(:disabled), .w-control.w-editable {
  border-color: var(--muted);
}
.w-control:user-invalid {
  border-color: var(--danger);
}
.w-control::placeholder, .w-control[data-empty] {
  color: var(--muted);
  opacity: 1;
}
.w-control:disabled {
  background: var(--fill);
  color: var(--text);
  opacity: 1;
}
.w-editable {
  padding-inline: 0.5em;
  border-style: dashed;
}
textarea.w-control {
  display: block;
  resize: vertical;
}
@supports (field-sizing: content) {
  textarea.w-auto-resize {
    field-sizing: content;
    min-block-size: calc(var(--rows) * 1lh + 0.8em + 2px);
    max-block-size: calc(var(--max-rows) * 1lh + 0.8em + 2px);
    resize: none;
  }
}
.w-choice {
  display: inline-grid;
  align-items: center;
  max-inline-size: 100%;
}
.w-box > .w-choice {
  min-inline-size: 5.5em;
}
.w-choice > * {
  grid-area: 1 / 1;
}
.w-choice > :not(.w-control) {
  justify-self: end;
  margin-inline-end: 0.75em;
  color: var(--muted);
  font-size: 0.8em;
}
.w-choice > .icon {
  pointer-events: none;
}
.w-choice > .icon-button {
  inline-size: 2.25em;
  block-size: 2.25em;
  margin-inline-end: 0.375em;
}
.w-choice:has(> button:not([hidden])) > input {
  padding-inline-end: 2.25em;
}
.w-choice > select {
  appearance: none;
  padding-inline-end: 2.25em;
  text-overflow: ellipsis;
}
.w-choice > select ~ .icon-button {
  margin-inline-end: 2.125em;
}
.w-choice:has(> button:not([hidden])) > select {
  padding-inline-end: 4em;
}
.w-choice option {
  background: var(--surface);
  color: var(--text);
}
.w-check {
  display: inline-flex;
  gap: 0.5em;
  align-items: baseline;
  overflow-wrap: anywhere;
}
.w-check > input {
  flex: none;
  inline-size: 1.05em;
  block-size: 1.05em;
  margin: 0;
  accent-color: var(--accent);
  transform: translateY(0.15em);
}
.w-radios {
  flex-wrap: wrap;
  column-gap: 1em;
  margin: 0;
  padding: 0;
  border: 0;
}

.w-table {
  overflow-x: auto;
  scrollbar-width: thin;
}
.w-table table {
  inline-size: 100%;
  border-collapse: collapse;
}
.w-table :is(th, td) {
  padding: 0.5em 0.75em;
  text-align: start;
}
.w-table tr + tr > td {
  border-block-start: 1px solid var(--line);
}
.w-table th .w-text {
  color: var(--muted);
}
.w-table :is(th, td):first-child {
  padding-inline-start: max(0px, 1em - var(--flush-inline));
}
.w-table :is(th, td):last-child {
  padding-inline-end: max(0px, 1em - var(--flush-inline));
}
.w-table .w-text {
  overflow-wrap: break-word;
}
.w-table [data-align="center"] {
  text-align: center;
}
.w-table [data-align="end"] {
  text-align: end;
}
.w-table [data-align="end"] > .w-text {
  white-space: nowrap;
}
@media (pointer: coarse) {
  /* Smaller ones make a telephone enlarge the page. */
  .w-control { font-size: max(16px, 1em) !important; }
}
@media (forced-colors: active) {
  .w-badge, .w-button { border-color: currentcolor; }
}
`;
