from django.contrib.admin.apps import AdminConfig


class ShopAdminConfig(AdminConfig):
    default_site = "tests.sites.custom_admin.admin.ShopAdminSite"
