from django.contrib.admin import AdminSite


class ShopAdminSite(AdminSite):
    site_header = "The shop"
    enable_nav_sidebar = False
