/** Widgets, and the boxes in them. */
import { css } from "../css.js";

export const boxStyles = css`
  .widget {
    overflow: clip;
    overflow-clip-margin: 0.75em;
    --flush-inline: 0px;
    --flush-block: 0px;
    --step: calc(var(--base-size) / 4);
    --raised: light-dark(var(--surface), var(--fill));
    --raised-fill: light-dark(var(--fill), var(--fill-strong));
    --raised-fill-strong: light-dark(var(--fill-strong), color-mix(in srgb, var(--text) 7%, var(--fill-strong)));
    line-height: 1.5;
  }
  .widget [data-busy]:not(button),
  .widget[data-busy] {
    opacity: 0.55;
    transition: opacity 0.2s;
  }
  .w-box,
  .w-radios {
    display: flex;
  }
  .w-box > * {
    min-inline-size: 0;
  }
  /* What stands below what says how near it belongs. */
  .w-box[data-spaced][data-direction="col"] {
    > * + * {
      margin-block-start: calc(2 * var(--step));
    }
    > * + .w-prose,
    > * + .w-button {
      margin-block-start: calc(3 * var(--step));
    }
    > * + .w-caption,
    &[style*="align-items: center"] > .w-caption + .w-prose {
      margin-block-start: var(--step);
    }
    > .w-prose + .w-prose,
    > .w-caption + .w-prose {
      margin-block-start: 0;
    }
    > * + .w-divider,
    > :is(.w-title, .w-image, .w-divider) + * {
      margin-block-start: calc(4 * var(--step));
    }
    > .w-title + .w-prose,
    > .w-button + .w-button {
      margin-block-start: calc(2 * var(--step));
    }
    > .w-label + * {
      margin-block-start: calc(var(--step) / 2);
    }
  }
  .w-box[data-spaced][data-direction="row"] {
    gap: calc(2 * var(--step));
    &:has(> .w-button + .w-button) {
      gap: calc(1.5 * var(--step));
    }
    > .w-icon + .w-icon {
      margin-inline-start: calc(-1.5 * var(--step));
    }
    > .w-label + * {
      margin-inline-start: var(--step);
    }
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
  .w-box:not([style*="align-items"])[data-direction="col"] > :is(.w-badge, .w-check, .w-choice):not([data-block]) {
    align-self: start;
  }
  .w-box[data-direction="row"] > .w-choice[data-block] {
    flex: 1 1 8em;
    inline-size: auto;
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
    margin: 0;
    border: 0 solid var(--line);
    border-block-start-width: var(--size, 1px);
  }
  .w-divider[style*="--spacing"] {
    margin-block: var(--spacing) !important;
  }
  .w-box[data-direction="row"] > .w-divider {
    align-self: stretch;
    margin: 0 var(--spacing, var(--step)) !important;
    border-width: 0;
    border-inline-start-width: var(--size, 1px);
  }
`;
