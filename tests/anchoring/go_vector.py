"""A log of 13 entries as golang.org/x/mod/sumdb v0.17.0 sees it, frozen.

Made by tests/oracles/sumdb; the seed is bytes 0 to 31, entry i is `credential i`.
"""

from primitives.encodings import decode_base64
from primitives.hashing import Digest

SEED = bytes(range(32))
NAME = "log.example/patunay"
VERIFIER_KEY = f"{NAME}+16987b71+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
ENTRIES = [f"credential {i}".encode() for i in range(13)]
TEXT = f"{NAME}\n13\nFxjbQpOKm6AtaFRJ83HHWCYSacKRDz7EMHPzYrC5BsQ=\n"
NOTE = (
    f"{TEXT}\n— {NAME} Fph7cQPqan/ik+COaK4SU/XTrDNOX66x6KoAmLoun1rcM7yPJVWA71CP78Nj1F2d"
    "NXIdVjn/JMUxgMeHg8Zl+FPDcAE=\n"
)
ROOT_6 = Digest(decode_base64("9WS456+NwLtwnen943mvrvp0sTSrLlqb724yqK93b7g="))
ROOT_13 = Digest(decode_base64("FxjbQpOKm6AtaFRJ83HHWCYSacKRDz7EMHPzYrC5BsQ="))

_SHARED = (
    "IT/ROvsFbzddBgKzj+jDuKYZq4rFSRVPn3bQUMTqtCo=",
    "F351IboOL0suetDnunV2dlO4DRNwFp5WdDzFor6sdAk=",
    "Aou+v3pZMAttFDbzeCBzzNrOaALoiR6FllMwsz9w/b8=",
)
INCLUSION_5_OF_13 = ("YpOHx/vgjkLvsK2ZhLYOroZBTmffjefcbAKSXxFsidU=", *_SHARED)
CONSISTENCY_6_TO_13 = ("+DHat879v8fKEpCVxbl4g3DPh1IgtS0AhbGvJ0m+R7E=", *_SHARED)


def hashes(texts: tuple[str, ...]) -> tuple[Digest, ...]:
    return tuple(Digest(decode_base64(text)) for text in texts)
