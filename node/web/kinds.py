"""What a document of another system is, in the reader's language."""

from typing import Final

from node.web.answer import Line
from node.web.headlines import Tone
from primitives.wording.words import Words, phrase

KINDS: Final = (
    # Of JSON, as `credentials.foreign.formats.Format` has them
    phrase("a Blockcerts 3 certificate"),
    phrase("an OpenAttestation 2.0 document"),
    phrase("a Blockcerts 2 certificate"),
    phrase("an OpenAttestation document of version 3 or later"),
    phrase("an Open Badges 2 assertion"),
    phrase("a credential in an envelope (JWT or SD-JWT)"),
    phrase("a signed JWT in its JSON form"),
    phrase("the payload of a JWT, without its signature"),
    phrase("a credential with a MerkleProof2019 that is no Blockcerts certificate"),
    phrase("an AnonCreds credential"),
    phrase("a credential with a JAdES seal"),
    phrase("a JSON document of no known kind of credential"),
    # Of other files, as `credentials.foreign.formats.file_format` names them
    phrase("a JWT"),
    phrase("an SD-JWT"),
    phrase("a PDF file"),
    phrase("a PNG picture, in which a badge may be baked"),
    phrase("a JPEG picture"),
    phrase("an XML file, such as an ELMO record or a picture with a badge"),
    phrase("an SVG picture, in which a badge may be baked"),
    phrase("a health certificate"),
    phrase("a ZIP archive"),
    phrase("a wallet pass (pkpass)"),
)
"""Every name that a document of another system has; a test compares."""


def kind_line(name: str, words: Words) -> Line:
    """Say what a document is, by its name among `KINDS`."""
    text = words.say("It is {kind}.", kind=words.say(name))
    return Line(words.say("What kind of file is it?"), Tone.OPEN, text)
