/** The element's style sheet, constructed, so that it needs no `style-src` beyond the site's own. */
import { attachmentStyles } from "./composer/attachments.css.js";
import { choiceStyles } from "./composer/choices.css.js";
import { composerStyles } from "./composer/composer.css.js";
import { dictationStyles } from "./composer/dictation.css.js";
import { editorStyles } from "./composer/editor.css.js";
import { imageStyles } from "./items/images.css.js";
import { itemStyles } from "./items/item.css.js";
import { sourceStyles } from "./items/sources.css.js";
import { structuredInputStyles } from "./items/structured-input.css.js";
import { turnActionStyles } from "./items/turn-actions.css.js";
import { userMessageStyles } from "./items/user-message.css.js";
import { workflowStyles } from "./items/workflow.css.js";
import { markdownStyles } from "./markdown/markdown.css.js";
import { buttonStyles } from "./ui/buttons.css.js";
import { dialogStyles } from "./ui/dialog.css.js";
import { menuStyles } from "./ui/menu.css.js";
import { remoteImageStyles } from "./ui/remote-image.css.js";
import { frameStyles } from "./views/frame.css.js";
import { headerStyles } from "./views/header.css.js";
import { historyStyles } from "./views/history.css.js";
import { startStyles } from "./views/start.css.js";
import { threadStyles } from "./views/thread.css.js";
import { boxStyles } from "./widgets/box.css.js";
import { chartStyles } from "./widgets/chart.css.js";
import { contentStyles } from "./widgets/content.css.js";
import { fieldStyles } from "./widgets/fields.css.js";
import { rootStyles } from "./widgets/roots.css.js";

/** In the order in which they outdo each other. */
const STYLES = [
  frameStyles,
  buttonStyles,
  remoteImageStyles,
  menuStyles,
  dialogStyles,
  headerStyles,
  threadStyles,
  itemStyles,
  userMessageStyles,
  imageStyles,
  sourceStyles,
  workflowStyles,
  structuredInputStyles,
  turnActionStyles,
  markdownStyles,
  boxStyles,
  rootStyles,
  contentStyles,
  fieldStyles,
  chartStyles,
  startStyles,
  composerStyles,
  editorStyles,
  choiceStyles,
  attachmentStyles,
  dictationStyles,
  historyStyles,
];

/** @type {CSSStyleSheet|null} */
let sheet = null;

/** @returns {CSSStyleSheet} one sheet for all elements of the page */
export function styleSheet() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES.join(""));
  }
  return sheet;
}
