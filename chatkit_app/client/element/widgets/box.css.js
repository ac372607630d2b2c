/** Widgets, and the boxes in them. */
import { css } from "../css.js";

export const boxStyles = css`
  .widget {
    overflow: clip;
    overflow-clip-margin: 0.25em;
    --flush-inline: 0px;
    --flush-block: 0px;
  }
  .widget [data-busy]:not(button),
  .widget[data-busy] {
    opacity: 0.55;
    transition: opacity 0.2s;
  }
  .w-box,
  .w-radios {
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
  .w-box:not([style*="align-items"])[data-direction="col"]
    > :is(.w-button, .w-badge, .w-check, .w-choice):not([data-block]) {
    align-self: start;
  }
  .w-card .w-form[data-direction="col"] > .w-button[type="submit"] {
    align-self: stretch !important;
  }
  .w-box[data-direction="row"] > .w-choice[data-block] {
    flex: 1 1 8em;
    inline-size: auto;
  }
  .w-form,
  .w-box.w-body {
    gap: 0.75em;
  }
  .w-unknown:not(p),
  .w-transition {
    display: contents;
  }
  .w-transition > * {
    animation: appear 0.3s ease-out;
  }
  @keyframes appear {
    from {
      opacity: 0;
      transform: translateY(0.25em);
    }
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
`;
