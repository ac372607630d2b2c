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

/** What is shown of a product when the pointer or the focus rests on it: a widget, as the server's are. */
function productPreview({ title, icon, data = {} }) {
  return {
    type: "Basic",
    gap: 2,
    padding: 3,
    children: [
      {
        type: "Row",
        gap: 2,
        align: "center",
        children: [
          { type: "Icon", name: icon ?? "cube" },
          { type: "Title", value: title, size: "sm" },
        ],
      },
      { type: "Caption", value: data.price ? `${data.price} €` : "Ask us for the price" },
    ],
  };
}

/** What “/” offers. A command does something, or gives an entity to insert, or another menu. */
const commands = [
  {
    id: "form",
    label: "Form",
    description: "Ask for a form",
    icon: "notebook-pencil",
    run: (element) => element.setComposerValue({ text: "Show me a form" }),
  },
  {
    id: "product",
    label: "Product",
    description: "Mention one of our products",
    icon: "cube",
    run: () => ({ type: "menu", commands: products.map(productCommand) }),
  },
  {
    id: "greet",
    label: "Greet",
    description: "Let the page send an action of its own",
    icon: "confetti",
    inThread: true,
    run: (element) => element.sendCustomAction({ type: "page.greeted", payload: { text: "Hello from the page!" } }),
  },
  {
    id: "clear",
    label: "Clear",
    description: "Begin a new conversation",
    icon: "write",
    run: (element) => element.setThreadId(null),
  },
];

function productCommand({ id, title, icon }) {
  return { id: `product:${id}`, label: title, icon, group: "Products" };
}

async function runCommand({ id }, element) {
  const product = products.find((entity) => `product:${entity.id}` === id);
  if (product) return { type: "entity", entity: product };
  return commands.find((command) => command.id === id)?.run(element);
}

/** Actions of widgets whose handler is "client". */
const actions = {
  "order.copy": ({ number }) => navigator.clipboard?.writeText(number),
  "prompt.send": ({ text }, element) => element.sendUserMessage({ text }),
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
  if (!frame) return;
  frame.style.setProperty("--celebration", CSS.supports("color", colour) ? colour : "gold");
  frame.classList.add("celebrating");
  frame.addEventListener("animationend", () => frame.classList.remove("celebrating"), { once: true });
}

window.chatkitConfigure ??= [];
window.chatkitConfigure.push((options, element) => {
  setTheme(options);
  options.onClientTool = ({ name, params }) => clientTools[name]?.(params) ?? {};
  options.widgets = { onAction: async (action) => actions[action.type]?.(action.payload ?? {}, element) };
  options.entities = {
    showComposerMenu: true,
    onTagSearch: async (query) =>
      products.filter(({ title }) => title.toLowerCase().includes(query.toLowerCase())),
    onClick: ({ title }) => element.sendUserMessage({ text: `Tell me more: ${title}` }),
    onRequestPreview: async (entity) => ({ preview: productPreview(entity) }),
  };
  let thread = options.initialThread;
  element.addEventListener("chatkit.thread.change", ({ detail }) => (thread = detail.threadId));
  options.commands = {
    enabled: true,
    onSearch: async (query) =>
      commands
        .filter(({ label, inThread }) => label.toLowerCase().startsWith(query.toLowerCase()) && (thread || !inThread))
        .map(({ run, inThread, ...command }) => command),
    onSelect: (command) => runCommand(command, element),
  };
  element.addEventListener("chatkit.effect", ({ detail }) => {
    if (detail.name === "celebrate") celebrate(detail.data);
  });
});
darkness.addEventListener("change", () => window.chatkitConfigure.push(setTheme));

for (const field of document.querySelectorAll("[data-submits]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
