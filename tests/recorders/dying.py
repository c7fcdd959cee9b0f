"""A process that records nothing: it is ready, and dies."""

import json
import os
import sys

if __name__ == "__main__":
    sys.stdout.write(json.dumps({"event": "ready"}) + "\n")
    sys.stdout.flush()
    os._exit(1)
