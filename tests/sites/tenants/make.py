"""``python -m tests.sites.tenants.make acme bolt``: the tables, and these tenants, each with a member of staff."""

import sys

import django
from django.core.management import call_command


def make(names: list[str]) -> None:
    django.setup()
    from django.contrib.auth import get_user_model
    from django_tenants.utils import tenant_context

    from tests.sites.tenants.models import Customer, Domain

    call_command("migrate_schemas", shared=True, verbosity=0)
    for name in names:
        customer = Customer(schema_name=name, name=name)
        customer.save(verbosity=0)
        Domain.objects.create(domain=f"{name}.localhost", tenant=customer)
        with tenant_context(customer):
            get_user_model().objects.create_superuser(f"{name}-staff", password=name)


if __name__ == "__main__":
    make(sys.argv[1:])
