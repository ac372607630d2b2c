"""Adds messages to threads of the site that ``growth`` measures: ``{"thr_…": 100, …}``."""

import json
import sys

import django

django.setup()

from chatkit_app.models import Thread, ThreadItem  # noqa: E402
from tests.benchmarks.turns import WORDS  # noqa: E402

TEXT = " ".join(f"word{number}" for number in range(WORDS))

for public_id, size in json.loads(sys.argv[1]).items():
    thread = Thread.objects.get(public_id=public_id)
    payload = {"content": [{"type": "output_text", "text": TEXT, "annotations": []}]}
    ThreadItem.objects.bulk_create(
        [
            ThreadItem(
                thread=thread,
                public_id=f"msg_{number}",
                type=ThreadItem.Type.ASSISTANT_MESSAGE,
                payload=payload,
                text=TEXT,
            )
            for number in range(size - thread.item_count)
        ],
        batch_size=2_000,
    )
    Thread.objects.filter(pk=thread.pk).update(item_count=size)
