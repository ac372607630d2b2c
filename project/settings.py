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

from project.prompts import WELCOME

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
    # Ours, which asks no other host for anything, unless the environment wants OpenAI's ("openai").
    "CLIENT": os.environ.get("CHATKIT_CLIENT", "bundled"),
    "DOMAIN_KEY": os.environ.get("CHATKIT_DOMAIN_KEY"),
    "DB_WORKERS": int(os.environ.get("CHATKIT_DB_WORKERS", "8")),
    "REQUEST_THREADS": int(os.environ.get("CHATKIT_REQUEST_THREADS", "2")),
    "ATTACHMENTS": {},
    "STAFF": {"BUTTON": True},
    "OPTIONS": {
        "history": {"enabled": True, "showDelete": True, "showRename": True},
        "threadItemActions": {"feedback": True, "retry": True, "edit": True},
        "thread": {"autoScroll": True},
        "composer": {
            "placeholder": "Ask us anything",
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
            "greeting": "Welcome to Café Demo. What can I do for you?",
            # A few, and a way to all the others.
            "prompts": WELCOME,
        },
        "disclaimer": {"text": "A demo. Without OPENAI_API_KEY the built-in offline model answers."},
    },
}
