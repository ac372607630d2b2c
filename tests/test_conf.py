from dataclasses import asdict

import pytest

from chatkit_app.conf import DEFAULTS, STAFF_DEFAULTS, ChatKitSettings, chatkit_settings

OTHER = {
    "SERVER": "shop.chat.Server",
    "AGENT": "shop.chat.agent",
    "CONTEXT": "shop.chat.context",
    "NAMESPACE": "shop",
    "LOGIN_REQUIRED": True,
    "ADMIN_SCOPE": "shop.chat.scope",
    "CLIENT": "bundled",
    "SCRIPT_URL": "/static/chatkit.js",
    "DOMAIN_KEY": "domain_pk_1",
    "OPTIONS": {"theme": "dark"},
    "ATTACHMENTS": {
        "STORAGE": "chat",
        "MAX_SIZE": 1,
        "MAX_PIXELS": 4,
        "MAX_COUNT": 2,
        "ACCEPT": {"text/*": []},
        "URL_EXPIRY": 3,
    },
    "STAFF": {
        "NAME": "shop.staff.name",
        "TIMEOUT": 60.0,
        "BUTTON": True,
        "URL": "https://shop.example/chat/",
        "MAIL_USERS": True,
        "MAIL_STAFF": ["team@shop.example"],
        "PATIENCE": 60.0,
        "WEBHOOKS": [{"url": "https://hooks.example/", "secret": "s"}],
    },
    "ON_DISCONNECT": "cancel",
    "HISTORY_LIMIT": 7,
    "HISTORY_BYTES": 8,
    "TRACING": True,
    "KEEP_ALIVE": 1.0,
    "CHECKPOINT_INTERVAL": 2.0,
    "ANSWER_TIMEOUT": 3.0,
    "ANSWER_SECONDS": 10.0,
    "ANSWER_BYTES": 11,
    "ANSWER_EVENTS": 12,
    "ANSWER_ITEMS": 13,
    "RUN_RETENTION": 4.0,
    "DB_WORKERS": 5,
    "DB_PATIENCE": 6.0,
    "REQUEST_THREADS": 9,
    "DATABASE_CONTEXT": "shop.tenants.context",
    "LIMITS": {"MESSAGES_PER_DAY": 3},
    "PROXIES": 2,
}


def test_every_key_is_a_property_and_is_tested():
    properties = {
        name.upper() for name, value in vars(ChatKitSettings).items() if isinstance(value, property)
    }
    assert properties - {"CONFIGURED", "FILES"} == DEFAULTS.keys() == OTHER.keys()


@pytest.mark.parametrize("key", DEFAULTS)
def test_key_that_is_not_set_has_its_default(key, settings):
    settings.CHATKIT = {}
    assert read_setting(key) == default(key)
    assert DEFAULTS[key] != OTHER[key]


def read_setting(key: str) -> object:
    read = getattr(chatkit_settings, key.lower())
    return {name.upper(): value for name, value in asdict(read).items()} if key == "STAFF" else read


def default(key: str) -> object:
    return {"LOGIN_REQUIRED": False, "CLIENT": "bundled", "STAFF": STAFF_DEFAULTS}.get(key, DEFAULTS[key])


@pytest.mark.parametrize("key", DEFAULTS)
def test_key_is_read_when_it_is_asked_for(key, settings):
    settings.CHATKIT = OTHER
    read = getattr(chatkit_settings, key.lower())
    if key in {"ATTACHMENTS", "STAFF"}:
        read = {name.upper(): value for name, value in asdict(read).items()}
    assert read == OTHER[key]
    settings.CHATKIT = {}
    assert read_setting(key) == default(key)


@pytest.mark.parametrize("named", [{}, {"CLIENT": None}])
def test_client_is_the_official_one_where_there_is_a_key_for_it(named, settings):
    settings.CHATKIT = named | {"DOMAIN_KEY": "domain_pk_1"}
    assert chatkit_settings.client == "openai"
    settings.CHATKIT = named | {"DOMAIN_KEY": "domain_pk_1", "CLIENT": "bundled"}
    assert chatkit_settings.client == "bundled"


def test_login_is_required_where_the_site_requires_it(settings):
    settings.MIDDLEWARE = ["django.contrib.auth.middleware.LoginRequiredMiddleware"]
    settings.CHATKIT = {}
    assert chatkit_settings.login_required
    settings.CHATKIT = {"LOGIN_REQUIRED": False}
    assert not chatkit_settings.login_required


@pytest.mark.parametrize("value", [None, {}])
def test_setting_may_be_empty(value, settings):
    settings.CHATKIT = value
    assert chatkit_settings.configured == {}
    assert chatkit_settings.db_workers == 4


def test_setting_may_be_absent(settings):
    settings.CHATKIT = {}
    del settings.CHATKIT
    assert chatkit_settings.server == "chatkit_app.agents.AgentChatKitServer"


def test_configured_is_what_the_project_has_set(settings):
    settings.CHATKIT = {"CLIENT": "auto"}
    assert chatkit_settings.configured == {"CLIENT": "auto"}


@pytest.mark.parametrize(
    ("key", "given", "read"),
    [("DB_WORKERS", "4", 4), ("KEEP_ALIVE", 3, 3.0), ("DB_PATIENCE", "2.5", 2.5), ("HISTORY_LIMIT", "9", 9)],
)
def test_numbers_may_come_from_the_environment_as_text(key, given, read, settings):
    settings.CHATKIT = {key: given}
    value = getattr(chatkit_settings, key.lower())
    assert (value, type(value)) == (read, type(read))


def test_files_have_a_storage_where_users_may_send_none(settings):
    settings.CHATKIT = {}
    assert (chatkit_settings.attachments, chatkit_settings.files.storage) == (None, "default")
    settings.CHATKIT = {"ATTACHMENTS": {"STORAGE": "private"}}
    assert chatkit_settings.files == chatkit_settings.attachments
    assert chatkit_settings.files.storage == "private"
