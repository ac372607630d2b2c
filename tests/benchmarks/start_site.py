"""Settings of a small site with the app, or without it, whose start ``growth`` measures."""

import os
from pathlib import Path

SECRET_KEY = "only for measurements"
ALLOWED_HOSTS = ["example.com"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["CHATKIT_BENCHMARK_FOLDER"], "db.sqlite3"),
    }
}
STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ["CHATKIT_BENCHMARK_FOLDER"], "static")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.benchmarks.start_urls"
if os.environ["CHATKIT_BENCHMARK_APP"] == "with":
    INSTALLED_APPS += ["chatkit_app"]
    ASGI_APPLICATION = "tests.benchmarks.turns_asgi.application"
