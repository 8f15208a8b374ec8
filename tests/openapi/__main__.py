"""`python -m tests.openapi PROGRAM [ARGUMENT…]`: what `make schemathesis` runs."""

import sys

from tests.openapi.campaign import main

sys.exit(main())
