from django.conf.urls.i18n import i18n_patterns

from tests.sites.urls import urlpatterns as patterns

urlpatterns = [*i18n_patterns(*patterns[:-1]), patterns[-1]]
