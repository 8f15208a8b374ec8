"""What a document is asked for before anybody reads its entry: see `did.service`."""

from typing import Final

SERVICE_TYPE: Final = "PatunayLog"
