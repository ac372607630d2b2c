/** Where a message is written. */
export const COMPOSER_STYLES = `
.composer {
  flex: none;
  padding-block: 0.25em calc(var(--space) * 0.875);
}
.box {
  --control: max(2.25em, 40px);
  display: flex;
  flex-wrap: wrap;
  gap: 0.25em;
  align-items: flex-end;
  padding: 0.375em;
  border: 1px solid var(--line);
  border-radius: calc(var(--round) + 0.25em);
  background: var(--surface);
  box-shadow: var(--shadow);
  cursor: text;
}
.frame[data-radius="sharp"] .box { border-radius: 0; }
.frame[data-radius="soft"] .box { border-radius: 0.75em; }
.box:focus-within {
  border-color: var(--muted);
}
.editor {
  display: grid;
  flex: 1;
  min-inline-size: 0;
}
.box:is([data-choices], [data-dictating]) > :is(.editor, .controls) {
  flex: 1 0 100%;
}
.input {
  grid-area: 1 / 1;
  inline-size: 100%;
  min-block-size: var(--control);
  max-block-size: min(12em, 40dvh);
  padding: calc((var(--control) - 1.5em) / 2) 0.625em;
  overflow: hidden auto;
  border: 0;
  outline: none;
  background: none;
  resize: none;
  font: inherit;
  letter-spacing: normal;
  line-height: 1.5;
  scrollbar-width: thin;
  scrollbar-color: var(--line) transparent;
}
textarea.input {
  block-size: 100%;
  text-overflow: ellipsis;
  min-inline-size: 0;
}
.input::placeholder {
  overflow: hidden;
  color: var(--muted);
  opacity: 1;
  text-overflow: ellipsis;
  unicode-bidi: plaintext;
  white-space: nowrap;
}
.backdrop {
  color: transparent;
  overflow-wrap: break-word;
  pointer-events: none;
  scrollbar-color: transparent transparent;
  text-align: start;
  unicode-bidi: plaintext;
  user-select: none;
  white-space: pre-wrap;
}
.backdrop > span {
  border-radius: 0.3em;
  background: var(--info-fill);
  box-shadow: 0 0 0 2px var(--info-fill);
  box-decoration-break: clone;
}

.controls, .sending {
  display: flex;
  flex: none;
  gap: 0.25em;
  align-items: center;
  max-inline-size: 100%;
}
.controls {
  flex-wrap: wrap;
}
.choices, .tools {
  display: contents;
}
.sending {
  margin-inline-start: auto;
}
.box[data-dictating] :is(.choices, .model) {
  display: none;
}
.box .icon-button {
  inline-size: var(--control);
  block-size: var(--control);
  border-radius: var(--round);
}
.icon-button[aria-disabled="true"] {
  cursor: default;
}
.tool {
  display: flex;
  flex: 0 1 auto;
  gap: 0.375em;
  align-items: center;
  min-inline-size: var(--control);
  min-block-size: var(--control);
  padding: 0 0.625em;
  border: 0;
  border-radius: var(--round);
  background: none;
  color: var(--muted);
}
.tool:hover {
  background: var(--fill);
  color: var(--text);
}
.tool[aria-pressed="true"] {
  background: var(--info-fill);
  color: var(--info);
}
.tool .icon {
  inline-size: 1.125em;
  block-size: 1.125em;
}
.tool:not([aria-pressed="true"]) .icon[data-icon="close"] {
  display: none;
}
.tool-label {
  min-inline-size: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.model {
  max-inline-size: 14em;
}
.model .icon {
  inline-size: 0.875em;
}
.send {
  display: grid;
  flex: none;
  place-items: center;
  inline-size: var(--control);
  block-size: var(--control);
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
  inline-size: 0.75em;
  block-size: 0.75em;
  border-radius: 0.125em;
  background: currentcolor;
}

.reply, .files {
  flex: 1 0 100%;
  min-inline-size: 0;
}
.reply {
  display: flex;
  gap: 0.5em;
  align-items: center;
  max-inline-size: 100%;
  padding-inline-start: 0.75em;
  border-radius: var(--round-small);
  background: var(--fill);
  color: var(--muted);
  font-size: 0.9em;
}
.reply-text {
  display: -webkit-box;
  flex: 1;
  min-inline-size: 0;
  overflow: hidden;
  overflow-wrap: anywhere;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
}
.files {
  display: flex;
  flex-wrap: wrap;
  gap: 0.375em;
  max-block-size: 11em;
  overflow-y: auto;
}
.file {
  display: flex;
  flex: 0 1 15em;
  gap: 0.5em;
  align-items: center;
  min-inline-size: 0;
  padding: 0.25em;
  border: 1px solid var(--line);
  border-radius: var(--round-small);
  cursor: default;
}
.file-picture {
  display: grid;
  flex: none;
  place-items: center;
  inline-size: 2.5em;
  block-size: 2.5em;
  overflow: hidden;
  border-radius: calc(var(--round-small) * 0.6);
  background: var(--fill);
  color: var(--muted);
}
.file-picture > :is(canvas, img) {
  inline-size: 100%;
  block-size: 100%;
  object-fit: cover;
}
.file-text {
  display: grid;
  flex: 1;
  min-inline-size: 0;
  font-size: 0.87em;
  line-height: 1.35;
}
.file-name {
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.file-text > bdi {
  text-align: match-parent;
  text-align: -webkit-match-parent;
}
.file-note {
  color: var(--muted);
}
.file[data-state="failed"] {
  border-color: var(--danger);
}
.file[data-state="failed"] .file-note {
  color: var(--danger);
}
.file .icon-button {
  --control: max(1.75em, 28px);
}
.composer .icon[data-icon="spinner"] {
  animation: spin 1s linear infinite;
}
@keyframes spin {
  to { rotate: 1turn; }
}

.dictation {
  display: flex;
  flex: 1;
  gap: 0.5em;
  align-items: center;
  min-inline-size: 0;
  padding-inline-start: 0.5em;
}
.level {
  flex: 0 1 8em;
  block-size: 0.5em;
  border-radius: 1em;
  background: linear-gradient(var(--danger) 0 0) no-repeat var(--fill-strong);
  background-size: calc(var(--level, 0) * 100%) 100%;
}
.level:dir(rtl) {
  background-position: 100%;
}
.dictation:not([data-state="recording"]) .level {
  display: none;
}
.time {
  flex: 1;
  color: var(--muted);
  font-variant-numeric: tabular-nums;
}

.suggestions {
  min-inline-size: min(18em, 100vw - 1em);
}
.problem {
  padding: 0.5em 0.875em;
  margin-block-end: 0.5em;
  border-radius: var(--round-small);
  background: var(--danger-fill);
  color: var(--danger);
  overflow-wrap: anywhere;
}
.read-only, .disclaimer {
  color: var(--muted);
  font-size: 0.87em;
  text-align: center;
}
.read-only {
  padding: 0.75em;
  border-radius: var(--round-small);
  background: var(--fill);
}
.disclaimer {
  margin-block-start: 0.5em;
}
.disclaimer[data-contrast="high"] {
  color: var(--text);
}
.drop-zone {
  position: absolute;
  inset: 0.5em;
  z-index: 1;
  display: grid;
  gap: 0.5em;
  place-content: center;
  justify-items: center;
  border: 2px dashed var(--link);
  border-radius: var(--round-small);
  background: color-mix(in srgb, var(--surface) 92%, transparent);
  font-weight: 600;
}
.drop-zone > * {
  pointer-events: none;
}
@container (max-width: 26em) {
  .tool[aria-pressed="false"] .tool-label { display: none; }
  .controls, .sending { gap: 0; }
  .model { max-inline-size: 5.25em; padding-inline: 0.375em; }
  .file { flex-basis: 100%; }
}
@media (pointer: coarse) {
  /* Safari zooms in to a field with a smaller font, and stays there. */
  .input { font-size: max(1em, 16px); }
}
@media (forced-colors: active) {
  .box, .send { border: 1px solid; }
  .send[aria-disabled="true"] { color: GrayText; }
  .tool[aria-pressed="true"] { outline: 1px solid; }
  .backdrop > span { outline: 1px solid CanvasText; }
  .backdrop, .level { forced-color-adjust: none; }
}
`;
