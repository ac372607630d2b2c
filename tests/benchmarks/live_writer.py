"""A process that writes into the threads whose pages ``live`` has open, at an even rate.

Prints as JSON the public id, the version and the moment of each change that it has committed.
"""

from __future__ import annotations

import json
import random
import sys
import time

import django


def main(rate: float, seconds: float) -> None:
    django.setup()
    from chatkit_app.models import Thread

    threads = dict(Thread.objects.values_list("pk", "public_id"))
    written = []
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        pk = random.choice(list(threads))
        [version] = Thread.objects.filter(pk=pk).bump(title=f"Title {number}").values()
        written.append((threads[pk], version, time.time()))
    print(json.dumps(written))


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
