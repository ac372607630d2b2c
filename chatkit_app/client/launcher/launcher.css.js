/** The launcher: its button, and the panel that the chat is in. */
import { css } from "../element/css.js";

export const launcherStyles = css`
  :host {
    --size: var(--chatkit-launcher-size, 3.5rem);
    --inset: var(--chatkit-launcher-inset, 1.25rem);
    --color: var(--chatkit-launcher-color, var(--theme-accent, var(--chatkit-accent, light-dark(#0d0d0d, #f3f3f3))));
    position: fixed;
    z-index: var(--chatkit-launcher-layer, 1000);
    inset-block-end: calc(var(--inset) + env(safe-area-inset-bottom));
    inset-inline-end: calc(var(--inset) + env(safe-area-inset-right));
  }
  :host([side="start"]) {
    inset-inline: calc(var(--inset) + env(safe-area-inset-left)) auto;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  button {
    display: grid;
    place-items: center;
    margin: 0;
    padding: 0;
    border: 0;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }
  :focus-visible {
    outline: 0.1875rem solid var(--chatkit-focus, light-dark(#0b57d0, #a8c7fa));
    outline-offset: 0.1875rem;
  }
  svg {
    grid-area: 1 / 1;
    inline-size: 55%;
    fill: none;
    stroke: currentcolor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
    transition:
      opacity 0.15s,
      rotate 0.15s;
  }
  .button {
    position: relative;
    inline-size: var(--size);
    block-size: var(--size);
    border-radius: 50%;
    background: var(--color);
    /* Black or white, whichever can be read on it. */
    color: var(--chatkit-launcher-on-color, oklch(from var(--color) clamp(0, (0.68 - l) * 1000, 1) 0 0));
    box-shadow:
      0 0.0625rem 0.25rem rgb(0 0 0 / 18%),
      0 0.375rem 1.5rem rgb(0 0 0 / 20%);
    transition: scale 0.15s;
  }
  .button:hover {
    scale: 1.05;
  }
  .button:active {
    scale: 0.96;
  }
  .closed {
    fill: currentcolor;
    stroke: none;
  }
  .opened,
  :host([data-opened]) .closed {
    opacity: 0;
    rotate: -45deg;
  }
  :host([data-opened]) .opened {
    opacity: 1;
    rotate: 0deg;
  }
  .badge {
    position: absolute;
    inset-block-start: -0.25rem;
    inset-inline-end: -0.25rem;
    min-inline-size: 1.375rem;
    padding-inline: 0.3125rem;
    border: 0.125rem solid Canvas;
    border-radius: 1rem;
    background: #c5221f;
    color: #fff;
    font:
      600 0.75rem/1.125rem system-ui,
      sans-serif;
    text-align: center;
  }
  .status {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  dialog {
    position: absolute;
    inset-block: auto calc(100% + 0.75rem);
    inset-inline: auto 0;
    inline-size: min(var(--chatkit-launcher-width, 26rem), 100vw - 2 * var(--inset));
    block-size: min(var(--chatkit-launcher-height, 43rem), 100dvh - var(--size) - 2 * var(--inset) - 0.75rem);
    max-inline-size: none;
    max-block-size: none;
    margin: 0;
    padding: 0;
    overflow: clip;
    isolation: isolate;
    border: 1px solid color-mix(in srgb, currentcolor 14%, transparent);
    border-radius: var(--chatkit-launcher-radius, 1rem);
    background: var(--theme-surface, var(--chatkit-surface, light-dark(#fff, #191919)));
    color: CanvasText;
    box-shadow:
      0 0.125rem 0.5rem rgb(0 0 0 / 8%),
      0 0.75rem 3rem rgb(0 0 0 / 20%);
    opacity: 0;
    translate: 0 0.5rem;
    transition:
      opacity 0.15s,
      translate 0.15s,
      display 0.15s allow-discrete,
      overlay 0.15s allow-discrete;
  }
  :host([side="start"]) dialog:not(:modal) {
    inset-inline: 0 auto;
  }
  dialog[open] {
    opacity: 1;
    translate: 0;
    @starting-style {
      opacity: 0;
      translate: 0 0.5rem;
    }
  }
  dialog:modal {
    --header-touch: pinch-zoom;
    position: fixed;
    inset: var(--view-top, 0px) 0 auto 0;
    inline-size: 100%;
    block-size: var(--view-height, 100dvh);
    padding: env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left);
    border: 0;
    border-radius: 0;
  }
  .content {
    display: flex;
    flex-direction: column;
    block-size: 100%;
    outline: none;
  }
  /* What the chat will look like, until it is there: three lines, and the composer. */
  .content:not([data-ready])::before {
    --line: linear-gradient(color-mix(in srgb, currentcolor 9%, transparent) 0 0) no-repeat;
    content: "";
    position: absolute;
    z-index: -1;
    inset: 5rem 1.25rem 1.25rem;
    background:
      var(--line) 0 0 / 60% 1rem,
      var(--line) 0 1.75rem / 85% 1rem,
      var(--line) 0 3.5rem / 45% 1rem,
      var(--line) 0 100% / 100% 3.25rem;
    /* Something else is said by then. */
    animation: 10s waiting forwards;
  }
  @keyframes waiting {
    5%,
    90% {
      opacity: 0.55;
    }
    to {
      visibility: hidden;
    }
  }
  .bar {
    display: none;
    flex: none;
    padding: 0.5rem;
    touch-action: pinch-zoom;
  }
  dialog:modal .bar {
    display: flex;
  }
  /* The chat's own header has a button for it, once it is there. */
  .content[data-ready] .bar[data-spare="true"] {
    display: none;
  }
  .cross {
    inline-size: 2.5rem;
    block-size: 2.5rem;
    border-radius: 0.625rem;
    background: none;
    color: inherit;
  }
  .cross:hover {
    background: color-mix(in srgb, currentcolor 8%, transparent);
  }
  ::slotted(:is(openai-chatkit, .chatkit-login)) {
    display: block !important;
    flex: 1 !important;
    inline-size: 100% !important;
    min-block-size: 0 !important;
    block-size: auto !important;
    margin: 0 !important;
    border: 0 !important;
    border-radius: 0 !important;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    svg {
      transition: none !important;
    }
  }
  @media print {
    :host {
      display: none;
    }
  }
`;
