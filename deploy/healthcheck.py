"""Ask a server of the site how it is: ``healthcheck.py PORT [SECONDS]``. Ends with 0 when it is well.

With seconds it asks again and again for so long, as long as a server needs to start. The host is the first of
``ALLOWED_HOSTS``, which Django takes; the protocol is what the proxy would say, so that nothing is redirected to it.
"""

import http.client
import os
import sys
import time


def is_well(port: int) -> bool:
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    headers = {"Host": host.replace("*", "") or "localhost", "X-Forwarded-Proto": "https"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/chatkit/health", headers=headers)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    port, seconds = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    until = time.monotonic() + seconds
    while not is_well(port):
        if time.monotonic() >= until:
            return 1
        time.sleep(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
