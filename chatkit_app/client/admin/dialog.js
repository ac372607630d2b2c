/**
 * Pages that ask before they do something, in a dialog over the page that leads to them. Where this does not run, or what
 * comes is no such page, they are pages like any other.
 */
import { post, say } from "./quiet.js";

/**
 * Have links with `data-chatkit-dialog` ask in a dialog.
 *
 * @param {() => void} onDone something was done
 */
export function openDialogs(onDone) {
  document.addEventListener("click", async (event) => {
    const link = /** @type {Element} */ (event.target).closest?.("a[data-chatkit-dialog]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!(link instanceof HTMLAnchorElement) || !isPlain || event.defaultPrevented) return;
    event.preventDefault();
    try {
      const response = await fetch(link.href);
      if (response.ok && !response.redirected && ask(link.href, await response.text(), onDone)) return;
    } catch (error) {
      console.warn("What a page asks could not be asked here.", error);
    }
    location.assign(link.href);
  });
}

/**
 * Ask what a page asks, until it is done or given up.
 *
 * @param {string} url where the answer is sent
 * @param {string} html the page
 * @param {() => void} onDone it was done
 * @returns {boolean} whether it is such a page
 */
export function ask(url, html, onDone) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const content = page.querySelector("#content-main.chatkit-confirmation");
  const form = content?.querySelector("form");
  if (!content || !form) return false;
  const heading = document.createElement("h2");
  heading.id = "chatkit-dialog-heading";
  heading.textContent = content.querySelector("h1")?.textContent ?? "";
  const problem = document.createElement("p");
  problem.className = "errornote";
  problem.setAttribute("role", "alert");
  problem.hidden = true;
  const dialog = document.createElement("dialog");
  dialog.className = "chatkit-dialog";
  dialog.setAttribute("aria-labelledby", heading.id);
  dialog.append(heading, problem, document.adoptNode(form));
  dialog.addEventListener("close", () => dialog.remove());
  form.querySelector(".closelink")?.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    form.setAttribute("aria-busy", "true");
    const told = await post(url, new FormData(form, event.submitter));
    form.removeAttribute("aria-busy");
    if (told.said !== undefined) {
      dialog.close();
      say(told.said);
      onDone();
      return;
    }
    problem.textContent = told.problem ?? "";
    problem.hidden = false;
  });
  document.body.append(dialog);
  dialog.showModal();
  return true;
}
