from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatKitConfig(AppConfig):
    name = "chatkit_app"
    label = "chatkit_app"
    verbose_name = _("ChatKit")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, receivers

        checks.register_checks()
        receivers.connect_receivers()
