"""The demo project: a Django site with one chat, which shows what ChatKit can do.

Start it with ``python manage.py demo``.
"""
