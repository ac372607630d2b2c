/** The page around the chat: what options that are functions look like, and what the page does for the chat. */

/** The tools that run here and not on the server; what they return is what the model reads. */
const clientTools = {
  get_browser: () => ({
    language: navigator.language,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    window: `${innerWidth} × ${innerHeight}`,
  }),
};

/** What a user can mention with “@”. */
const products = [
  { id: "coffee", title: "Coffee", icon: "cube", group: "Products", interactive: true, data: { price: "12" } },
  { id: "grinder", title: "Grinder", icon: "settings-slider", group: "Products", data: { price: "89" } },
];

/** Actions of widgets whose handler is "client". */
const actions = {
  "order.copy": ({ number }) => navigator.clipboard?.writeText(number),
};

const darkness = matchMedia("(prefers-color-scheme: dark)");

function setTheme(options) {
  const isDark = darkness.matches;
  options.theme = {
    colorScheme: isDark ? "dark" : "light",
    radius: "round",
    color: { grayscale: { hue: 150, tint: 1 }, accent: { primary: isDark ? "#6fcf9f" : "#0f5c42", level: 1 } },
  };
}

function celebrate({ colour = "gold" } = {}) {
  const frame = document.querySelector(".chat");
  frame.style.setProperty("--celebration", CSS.supports("color", colour) ? colour : "gold");
  frame.classList.add("celebrating");
  frame.addEventListener("animationend", () => frame.classList.remove("celebrating"), { once: true });
}

window.chatkitConfigure ??= [];
window.chatkitConfigure.push((options, element) => {
  setTheme(options);
  options.onClientTool = ({ name, params }) => clientTools[name]?.(params) ?? {};
  options.widgets = { onAction: async (action) => actions[action.type]?.(action.payload ?? {}) };
  options.entities = {
    showComposerMenu: true,
    onTagSearch: async (query) =>
      products.filter(({ title }) => title.toLowerCase().includes(query.toLowerCase())),
    onClick: ({ title }) => element.sendUserMessage({ text: `Tell me more: ${title}` }),
  };
  element.addEventListener("chatkit.effect", ({ detail }) => {
    if (detail.name === "celebrate") celebrate(detail.data);
  });
});
darkness.addEventListener("change", () => window.chatkitConfigure.push(setTheme));

for (const field of document.querySelectorAll("[data-submits]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
