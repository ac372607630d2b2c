/** Text with headings, lists, tables and code. */
import { css } from "../css.js";

export const markdownStyles = css`
  .markdown {
    overflow-wrap: anywhere;
  }
  .markdown :is(p, li, h3, h4, h5, h6, th, td) {
    unicode-bidi: plaintext;
  }
  .markdown :is(a, code) {
    unicode-bidi: isolate;
  }
  .markdown > * + *,
  .markdown :is(blockquote, li) > * + * {
    margin-block-start: 0.875em;
  }
  .markdown :is(h3, h4, h5, h6) {
    margin-block: 1.5em 0;
    font-size: 1em;
    font-weight: 600;
    line-height: 1.3;
    text-wrap: balance;
  }
  .markdown h3 {
    font-size: 1.5em;
    letter-spacing: -0.01em;
  }
  .markdown h4 {
    font-size: 1.25em;
  }
  .markdown h5 {
    font-size: 1.1em;
  }
  .markdown :is(h3, h4, h5, h6) + * {
    margin-block-start: 0.5em;
  }
  .markdown > :first-child {
    margin-block-start: 0;
  }
  .markdown :is(ul, ol) {
    padding-inline-start: 1.625em;
  }
  .markdown ul {
    list-style-type: disc;
  }
  .markdown ul ul {
    list-style-type: circle;
  }
  .markdown li + li {
    margin-block-start: 0.5em;
  }
  .markdown [data-tight] > li + li,
  .markdown [data-tight] > li > * + * {
    margin-block-start: 0.25em;
  }
  .markdown li::marker {
    color: var(--muted);
  }
  .markdown li:has(> input) {
    list-style: none;
  }
  .markdown li > input {
    appearance: none;
    float: inline-start;
    inline-size: 1.0625em;
    block-size: 1.0625em;
    margin-block: 0.25em 0;
    margin-inline: -1.5em 0;
    border: 1.5px solid var(--field-line);
    border-radius: 0.25em;
  }
  .markdown li > input:checked {
    border-color: var(--text);
    background: var(--text);
  }
  .markdown li > input:checked::after {
    content: "";
    display: block;
    box-sizing: content-box;
    inline-size: 0.2em;
    block-size: 0.45em;
    margin: 0.1em auto 0;
    border: solid var(--surface);
    border-width: 0 0.13em 0.13em 0;
    rotate: 45deg;
  }
  .markdown a {
    color: var(--link);
    text-underline-offset: 0.15em;
  }
  .markdown img {
    max-inline-size: 100%;
    block-size: auto;
    border-radius: var(--round-small);
  }
  .markdown blockquote {
    padding-inline-start: 0.875em;
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
    font-family: var(--font-mono);
    font-size: 0.9em;
  }
  .markdown .formula {
    overflow-x: auto;
    font: italic 1em var(--font-mono);
    white-space: pre-wrap;
  }
  .markdown p.formula {
    text-align: center;
  }
  .code pre {
    overflow-x: auto;
    margin: 0;
    overflow-wrap: normal;
    text-align: left;
  }
  .code pre code {
    padding: 0;
    background: none;
  }
  .code pre span,
  .markdown .piece {
    display: block;
  }
  .code pre:focus-visible,
  .markdown .table:focus-visible {
    outline-offset: -2px;
  }
  .markdown .table {
    overflow: auto;
    max-block-size: 80dvb;
    scrollbar-width: thin;
  }
  .markdown table {
    inline-size: 100%;
    border-collapse: collapse;
    font-size: 0.95em;
  }
  .markdown :is(th, td) {
    min-inline-size: 4em;
    max-inline-size: 24em;
    padding: 0.5625em 0.75em;
    border-block-end: 1px solid var(--line);
    text-align: match-parent;
    text-align: -webkit-match-parent;
    vertical-align: top;
    overflow-wrap: break-word;
  }
  .markdown th {
    position: sticky;
    inset-block-start: 0;
    background: var(--surface);
    /* A border would be left behind. */
    box-shadow: inset 0 -1px var(--line);
    border: 0;
    font-weight: 600;
    vertical-align: bottom;
  }
  .markdown :is(th, td):first-child {
    padding-inline-start: 0;
  }
  @media (forced-colors: active) {
    .markdown :not(pre) > code {
      border: 1px solid;
    }
  }
`;
