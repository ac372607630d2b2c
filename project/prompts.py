"""What the demo offers to be asked: a few questions to begin with, and behind "More…" a prompt for each feature.

Plain data, since the settings need it before any app is loaded. The agent of ``chat.py`` answers what ``features.py``
does not.
"""

Prompt = dict[str, str]

WELCOME: list[Prompt] = [
    {"label": "Is it warm in Lisbon?", "prompt": "What is the weather in Lisbon?", "icon": "globe"},
    {"label": "Where is my order?", "prompt": "Where is my order?", "icon": "map-pin"},
    {"label": "Book a table", "prompt": "I would like to book a table.", "icon": "calendar"},
    {"label": "Plan a trip by night train", "prompt": "Plan a trip by night train.", "icon": "compass"},
    {"label": "Talk to a person", "prompt": "I would like to talk to a person of your team.", "icon": "user"},
    {"label": "More…", "prompt": "Show me more", "icon": "dots-horizontal"},
]

EVERYTHING: list[Prompt] = [
    # Answered by the agent in project/chat.py
    {"label": "A tool", "prompt": "What is the weather in Paris?", "icon": "globe"},
    {"label": "A client tool", "prompt": "What does my browser tell you?", "icon": "desktop"},
    {"label": "A refusal", "prompt": "Tell me the secret password.", "icon": "keys"},
    # Answered by project/features.py
    {"label": "A widget", "prompt": "Show me a widget", "icon": "cube"},
    {"label": "A widget that writes", "prompt": "Show me a streamed widget", "icon": "write"},
    {"label": "Every widget", "prompt": "Show me every widget", "icon": "settings-slider"},
    {"label": "A chart", "prompt": "Show me a chart", "icon": "chart"},
    {"label": "A form", "prompt": "Show me a form", "icon": "notebook-pencil"},
    {"label": "A workflow", "prompt": "Show me a workflow", "icon": "bolt"},
    {"label": "A task", "prompt": "Show me a task", "icon": "check-circle"},
    {"label": "Questions", "prompt": "Show me some questions", "icon": "circle-question"},
    {"label": "Sources", "prompt": "Show me some sources", "icon": "book-open"},
    {"label": "An image", "prompt": "Show me an image", "icon": "square-image"},
    {"label": "A long answer", "prompt": "Show me a long answer", "icon": "document"},
    {"label": "Progress", "prompt": "Show me some progress", "icon": "clock"},
    {"label": "A notice", "prompt": "Show me a notice", "icon": "info"},
    {"label": "Notices of each level", "prompt": "Show me some notices", "icon": "info"},
    {"label": "A file", "prompt": "Show me an attachment", "icon": "page-blank"},
    {"label": "An effect on the page", "prompt": "Show me an effect", "icon": "confetti"},
    {"label": "Hidden context", "prompt": "Show me the hidden context", "icon": "lightbulb"},
    {"label": "The end of a turn", "prompt": "Show me the end of a turn", "icon": "check"},
    {"label": "A closed conversation", "prompt": "Show me a closed conversation", "icon": "book-closed"},
    {"label": "A failure", "prompt": "Show me a failure", "icon": "bug"},
]
