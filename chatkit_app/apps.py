from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

CLIENT_FINDER = "chatkit_app.finders.ClientFinder"


class ChatKitConfig(AppConfig):
    name = "chatkit_app"
    label = "chatkit_app"
    verbose_name = _("ChatKit")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, logs, receivers
        from .process import tracing
        from .rendering import unserved

        tracing.keep_traces_at_home()
        checks.register_checks()
        receivers.connect_receivers()
        unserved.watch_unserved_files()
        logs.watch_sdks()
        # An app's folder "static" keeps its names, and Django has no other place where an app could say more.
        if CLIENT_FINDER not in settings.STATICFILES_FINDERS:
            settings.STATICFILES_FINDERS = [*settings.STATICFILES_FINDERS, CLIENT_FINDER]
