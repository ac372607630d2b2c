"""A site of django-tenants: a schema for each tenant, users and sessions too, and the chat's tables in all of them."""
