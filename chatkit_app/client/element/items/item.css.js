/** What items have in common. */
import { css } from "../css.js";

export const itemStyles = css`
  .item {
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }
  .item [dir="auto"] {
    unicode-bidi: isolate;
  }
  .muted,
  .task .markdown {
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
  .enlarge,
  .tag,
  .citation,
  .source,
  .toggle {
    max-inline-size: 100%;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    text-align: start;
    text-decoration: none;
  }
  .attached-file,
  .source,
  .toggle,
  .query,
  .choice,
  .source-place,
  .download {
    display: flex;
    gap: 0.5em;
    align-items: center;
  }
  .attached-file,
  .source-lists,
  .query,
  .question > .link-button,
  .download {
    font-size: 0.9em;
  }
  .toggle {
    inline-size: fit-content;
    padding-block: 0.25em;
    color: var(--muted);
    cursor: pointer;
    list-style: none;
  }
  .toggle::-webkit-details-marker,
  .toggle:disabled > .icon {
    display: none;
  }
  .toggle:hover:enabled,
  summary.toggle:hover {
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
  .fallback,
  dd,
  dt,
  legend {
    white-space: pre-line;
  }
  .parts ~ div > details {
    margin-block-start: 0.5em;
  }
  .parts > * + * {
    margin-block-start: 0.75em;
  }
  @media (forced-colors: active) {
    .bubble,
    .tag,
    .citation,
    .query,
    .image-placeholder {
      border: 1px solid;
    }
  }
  @media (forced-colors: active), (prefers-reduced-motion: reduce) {
    .shimmer {
      background: none;
      color: var(--muted);
      animation: none;
    }
  }
`;
