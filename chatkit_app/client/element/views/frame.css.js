/** The frame, its colours and sizes, and what all views share. */
import { css } from "../css.js";

export const frameStyles = css`
  :host {
    display: block;
    contain: content;
  }
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  /* A press is the button's, whatever of its inside is made anew before the release. */
  button * {
    pointer-events: none;
  }
  /* --theme-… and the frame's own properties are set by theme.js, --chatkit-… by the page's style sheets. */
  .frame,
  [data-scheme] {
    --accent: var(--theme-accent, var(--chatkit-accent, var(--text)));
    --on-accent: var(--theme-on-accent, var(--chatkit-on-accent, var(--surface)));
    --focus: var(--chatkit-focus, var(--link));
    --bubble: var(--chatkit-bubble, var(--fill));
    --field-line: color-mix(in srgb, var(--muted) 72%, var(--surface));
    --start-icon: var(--muted);
    --toward-text: 0%;
    color: var(--text);
  }
  .frame,
  [data-scheme="light"] {
    --surface: var(--chatkit-surface, #fff);
    --text: var(--chatkit-text, hsl(var(--hue) var(--tint) calc(11% + var(--shade))));
    --muted: var(--chatkit-muted, hsl(var(--hue) var(--tint) calc(38% - var(--tint) / 4)));
    --line: var(--chatkit-line, hsl(var(--hue) var(--tint) calc(88% + var(--shade))));
    --fill: var(--chatkit-fill, hsl(var(--hue) var(--tint) calc(95.5% + var(--shade))));
    --fill-strong: var(--chatkit-fill-strong, hsl(var(--hue) var(--tint) calc(92% + var(--shade))));
    --link: var(--chatkit-link, color-mix(in srgb, #0b57d0, var(--text) var(--toward-text)));
    --danger: color-mix(in srgb, #b3261e, var(--text) var(--toward-text));
    --danger-fill: #fdf0ef;
    --success: color-mix(in srgb, #146c34, var(--text) var(--toward-text));
    --success-fill: #e9f6ec;
    --warning: color-mix(in srgb, #8a4b00, var(--text) var(--toward-text));
    --warning-fill: #fdf3e1;
    --info: color-mix(in srgb, #0b57d0, var(--text) var(--toward-text));
    --info-fill: #eaf1fe;
    --discovery: color-mix(in srgb, #6b3fc9, var(--text) var(--toward-text));
    --discovery-fill: #f3eefd;
    --shadow: 0 1px 2px rgb(0 0 0 / 4%), 0 4px 16px rgb(0 0 0 / 5%);
    --raised: var(--surface);
    --raised-fill: var(--fill);
    color-scheme: light;
  }
  [data-scheme="dark"] {
    --surface: var(--chatkit-surface, hsl(var(--hue) var(--tint) calc(10% + var(--shade))));
    --text: var(--chatkit-text, hsl(var(--hue) var(--tint) 93%));
    --muted: var(--chatkit-muted, hsl(var(--hue) var(--tint) 72%));
    --line: var(--chatkit-line, hsl(var(--hue) var(--tint) calc(24% + var(--shade))));
    --fill: var(--chatkit-fill, hsl(var(--hue) var(--tint) calc(16% + var(--shade))));
    --fill-strong: var(--chatkit-fill-strong, hsl(var(--hue) var(--tint) calc(22% + var(--shade))));
    --link: var(--chatkit-link, color-mix(in srgb, #a8c7fa, var(--text) var(--toward-text)));
    --danger: color-mix(in srgb, #ffb4ab, var(--text) var(--toward-text));
    --danger-fill: #3a1c1a;
    --success: color-mix(in srgb, #8ed6a0, var(--text) var(--toward-text));
    --success-fill: #16301e;
    --warning: color-mix(in srgb, #f4bf75, var(--text) var(--toward-text));
    --warning-fill: #35260f;
    --info: color-mix(in srgb, #a8c7fa, var(--text) var(--toward-text));
    --info-fill: #16263f;
    --discovery: color-mix(in srgb, #cdb8f7, var(--text) var(--toward-text));
    --discovery-fill: #2b2140;
    --shadow: 0 1px 2px rgb(0 0 0 / 30%), 0 4px 16px rgb(0 0 0 / 25%);
    /* In the dark a shadow raises nothing. */
    --raised: var(--fill);
    --raised-fill: var(--fill-strong);
    color-scheme: dark;
  }
  .frame {
    --hue: 240;
    --tint: 4%;
    --shade: 0%;
    --base-size: 16px;
    --space: 1em;
    --round: 1.375em;
    --round-small: 0.75em;
    --font: var(--chatkit-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
    --font-mono: var(--chatkit-font-mono, ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace);
    container-type: inline-size;
    position: relative;
    block-size: 100%;
    /* What a keyboard on the screen covers. */
    padding-block-end: var(--keyboard, 0px);
    overflow: hidden;
    background: var(--surface);
    font: 400 var(--base-size) / 1.6 var(--font);
    text-align: start;
    accent-color: var(--accent);
  }
  .frame[data-radius="round"] {
    --round: 1em;
    --round-small: 0.625em;
  }
  .frame[data-radius="soft"] {
    --round: 0.5em;
    --round-small: 0.375em;
  }
  .frame[data-radius="sharp"] {
    --round: 0px;
    --round-small: 0px;
  }
  .frame[data-density="compact"] {
    --space: 0.75em;
  }
  .frame[data-density="spacious"] {
    --space: 1.375em;
  }
  .main,
  .history {
    display: flex;
    flex-direction: column;
    block-size: 100%;
  }
  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
  }
  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 1px;
  }
  [data-pointer] :focus-visible,
  .scroller:focus {
    outline: none;
  }
  p,
  h2,
  h3,
  ul,
  ol,
  blockquote {
    margin: 0;
    padding: 0;
  }
  ul[role="list"],
  ol[role="list"] {
    list-style: none;
  }
  .markdown.plain {
    overflow-wrap: anywhere;
    white-space: pre-wrap;
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
    inline-size: 1.25em;
    block-size: 1.25em;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .icon.directional:dir(rtl) {
    transform: scaleX(-1);
  }
  .text-field {
    min-inline-size: 0;
    padding: 0.3125em 0.625em;
    border: 1px solid var(--field-line);
    border-radius: var(--round-small);
    background: var(--surface);
    color: var(--text);
  }
  .text-field:focus {
    border-color: var(--focus);
  }
  .text-field::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  .text-field[aria-invalid] {
    border-color: var(--danger);
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 1ms !important;
      animation-iteration-count: 1 !important;
      transition-duration: 1ms !important;
      scroll-behavior: auto !important;
    }
  }
`;
