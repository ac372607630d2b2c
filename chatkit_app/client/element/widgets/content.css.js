/** What is read and looked at: texts, images, badges, tables. */
import { css } from "../css.js";

export const contentStyles = css`
  .w-text {
    margin: 0;
    font-weight: 400;
    overflow-wrap: anywhere;
    white-space: pre-line;
  }
  .w-title {
    font-weight: 500;
  }
  .w-caption,
  .w-label,
  p.w-unknown {
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
  .w-icon,
  .w-image,
  .w-badge,
  .w-button {
    flex: none;
    max-inline-size: 100%;
  }
  .w-image {
    position: relative;
    min-block-size: 0;
    overflow: clip;
    border-radius: min(var(--round-small), 0.5em);
  }
  .w-image:not(.w-sized) {
    aspect-ratio: 16 / 9;
  }
  .w-image:not(.w-sized):is([data-width], [data-direction="row"] > *) {
    aspect-ratio: 1;
  }
  [data-direction="row"] > .w-image:not(.w-sized, [data-width]) {
    inline-size: 2.5em;
  }
  .w-image > img {
    display: block;
    inline-size: 100%;
    block-size: 100%;
    object-fit: var(--fit, cover);
    object-position: var(--position, center);
  }
  .w-image:has(> button) {
    inline-size: auto !important;
    block-size: auto !important;
    aspect-ratio: auto !important;
  }
  .w-image > button {
    inline-size: 100%;
    font-size: 0.87em;
  }
  .w-framed::after,
  img.w-framed {
    outline: 1px solid color-mix(in srgb, var(--text) 8%, transparent);
    outline-offset: -1px;
  }
  .w-framed::after {
    position: absolute;
    inset: 0;
    border-radius: inherit;
    content: "";
  }
  .w-box > .w-flush {
    max-inline-size: none;
    margin-inline: calc(-1 * var(--flush-inline));
  }
  .w-image.w-flush:first-child {
    border-end-start-radius: 0;
    border-end-end-radius: 0;
    margin-block-start: calc(-1 * var(--flush-block));
  }
  .w-image.w-flush:last-child {
    margin-block-end: calc(-1 * var(--flush-block));
  }
  .widget [data-tone] {
    --tone: var(--text);
    --tone-fill: color-mix(in srgb, var(--wash) 16%, transparent);
    --tone-line: var(--tone);
    --on-solid: #fff;
  }
  .widget :is([data-tone="primary"], [data-tone="secondary"]) {
    --solid: var(--accent);
    --on-solid: var(--on-accent);
    --tone-fill: var(--fill-strong);
    --tone-line: color-mix(in srgb, var(--text) 6%, var(--line));
  }
  .widget [data-tone="secondary"] {
    --solid: light-dark(var(--muted), color-mix(in srgb, var(--muted) 20%, var(--surface)));
    --on-solid: light-dark(var(--surface), var(--text));
  }
  .widget [data-tone="secondary"]:is(.w-badge, .w-button):is([data-variant="outline"], [data-variant="ghost"]) {
    --tone: var(--muted);
  }
  .widget [data-tone="info"] {
    --tone: var(--info);
    --solid: #0169cc;
    --wash: #0285ff;
  }
  .widget [data-tone="discovery"] {
    --tone: var(--discovery);
    --solid: #8046d9;
    --wash: #924ff7;
  }
  .widget [data-tone="success"] {
    --tone: var(--success);
    --solid: #008035;
    --wash: #04b84c;
  }
  .widget [data-tone="caution"] {
    --tone: color-mix(in srgb, light-dark(#6e5400, #ffd240), var(--text) var(--toward-text));
    --solid: #8a6900;
    --wash: #ffc300;
  }
  .widget [data-tone="warning"] {
    --tone: var(--warning);
    --solid: #b9480d;
    --wash: #fb6a22;
  }
  .widget [data-tone="danger"] {
    --tone: var(--danger);
    --solid: #d92d2a;
    --wash: #fa423e;
  }
  .w-badge,
  .w-button {
    border: 1px solid transparent;
    background: none;
    color: var(--tone);
    font-weight: 500;
  }
  .widget :is(.w-badge, .w-button, .w-control) {
    padding-inline: calc(var(--gutter) * var(--ends, 1));
    border-radius: min(var(--round-small), var(--radius));
  }
  .widget [data-pill=""],
  .frame:not([data-radius="round"], [data-radius="soft"], [data-radius="sharp"]) .widget [data-pill] {
    --ends: 1.33;
    border-radius: 9em;
  }
  .w-badge {
    overflow: hidden;
    line-height: calc(var(--height) - 2px);
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  :is(.w-badge, .w-button)[data-variant="soft"] {
    background: var(--tone-fill);
  }
  :is(.w-badge, .w-button)[data-variant="outline"] {
    border-color: var(--tone-line);
  }
  :is(.w-badge, .w-button)[data-variant="solid"] {
    background: var(--solid);
    color: var(--on-solid);
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
    padding: 0.625em 0.5em;
    border-block-end: 1px solid var(--line);
    text-align: start;
  }
  .w-table th {
    padding-block: 0.5em;
    border-block-end-color: color-mix(in srgb, var(--text) 7%, var(--line));
  }
  .w-table tr:last-child > * {
    border: 0;
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
`;
