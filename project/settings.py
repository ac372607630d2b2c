"""Settings of the demo project.

Another settings module can start from them::

    from project.settings import *

    CHATKIT = CHATKIT | {"SERVER": "myapp.chat.SupportServer", "AGENT": None}
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

try:
    import dj_database_url
except ModuleNotFoundError as error:
    raise ImproperlyConfigured('The demo needs its extra: pip install -e ".[demo]", in the clone.') from error

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DEBUG", "1").lower() in ("1", "true", "yes", "on")
# Without DEBUG there is no key to fall back on: Django then refuses to start without one.
SECRET_KEY = os.environ.get("SECRET_KEY") or ("django-insecure-only-for-the-demo" if DEBUG else "")
# With DEBUG and an empty list Django answers on localhost.
ALLOWED_HOSTS = [host.strip() for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host.strip()]

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "chatkit_app",
    "project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# DATABASE_URL=postgres://user:password@host/name moves the site to PostgreSQL. Connections are kept for ever:
# chatkit_app.asgi shares a few threads among all requests, so there are only a few of them.
DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}", conn_max_age=None, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

# REDIS_URL=redis://host:6379/0 lets several processes hear one another.
REDIS_URL = os.environ.get("REDIS_URL")
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("pt-br", "Português (Brasil)"),
    ("ar", "العربيّة"),
    ("ja", "日本語"),
]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

# Files that users attach. Nothing serves this folder: their URLs are the chat's own.
MEDIA_ROOT = os.environ.get("MEDIA_ROOT") or BASE_DIR / "media"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "chat"
LOGOUT_REDIRECT_URL = "chat"

CHATKIT = {
    "SERVER": "project.chat.DemoServer",
    "AGENT": "project.chat.agent",
    "CONTEXT": "project.context.demo_context",
    # OpenAI's element where its script can be had, ours where it cannot.
    "CLIENT": "auto",
    "DOMAIN_KEY": os.environ.get("CHATKIT_DOMAIN_KEY"),
    "DB_WORKERS": int(os.environ.get("CHATKIT_DB_WORKERS", "8")),
    "REQUEST_THREADS": int(os.environ.get("CHATKIT_REQUEST_THREADS", "2")),
    "ATTACHMENTS": {},
    "OPTIONS": {
        "history": {"enabled": True, "showDelete": True, "showRename": True},
        "threadItemActions": {"feedback": True, "retry": True},
        "thread": {"autoScroll": True},
        "composer": {
            "placeholder": "Ask something, or type “show me a form”",
            "tools": [
                {
                    "id": "get_weather",
                    "label": "Weather",
                    "icon": "globe",
                    "placeholderOverride": "A city",
                    "pinned": True,
                },
                {
                    "id": "get_browser",
                    "label": "My browser",
                    "shortLabel": "Browser",
                    "icon": "desktop",
                    "persistent": True,
                },
            ],
            "dictation": {"enabled": True},
            "models": [
                {"id": "gpt-4.1-mini", "label": "Fast", "description": "gpt-4.1-mini", "default": True},
                {"id": "gpt-4.1", "label": "Thorough", "description": "gpt-4.1"},
            ],
        },
        # What they do is in project/static/project/page.js.
        "commands": {"enabled": True},
        "startScreen": {
            "greeting": "What would you like to see?",
            "prompts": [
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
                {
                    "label": "A closed conversation",
                    "prompt": "Show me a closed conversation",
                    "icon": "book-closed",
                },
                {"label": "A failure", "prompt": "Show me a failure", "icon": "bug"},
            ],
        },
        "disclaimer": {"text": "A demo. Without OPENAI_API_KEY the built-in offline model answers."},
    },
}
