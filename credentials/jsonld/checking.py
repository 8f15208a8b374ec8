"""The walk that only asks whether all of a document is signed: it spells no quads.

A JCS signature covers the bytes; safe mode has to hold all the same. What this walk
refuses, and with which code, is what `Walk` refuses: tests hold the two equal.
"""

from collections.abc import Mapping

from credentials.jsonld.scope import Scope
from credentials.jsonld.walk import Place, Walk
from primitives.canonical_json import Json

_NODE = "_:node"


class CheckingWalk(Walk):
    """A walk that leaves nothing behind."""

    def __init__(self) -> None:
        super().__init__()
        self._nowhere = Place(_NODE, "", [])

    def _fresh(self) -> str:
        return _NODE

    def _node(
        self, node: Mapping[str, Json], scope: Scope, graph: str, *, top: bool = False
    ) -> str:
        del graph
        if "@context" in node and not top:
            scope = scope.local(node["@context"])
        shape = scope.shape(node)
        inner = self._entered(shape.inner)
        if shape.has_id:
            self._subject(node["id"], inner)
        for name, _, _, found in shape.texts:
            if type(node[name]) is not str:
                self._property(self._nowhere, found, node[name], inner)
        for name, found in shape.others:
            self._property(self._nowhere, found, node[name], inner)
        return _NODE

    def _add(self, place: Place, lead: str, found: str) -> None:
        pass

    def _cell(self, first: str, rest: str, graph: str) -> str:
        del first, rest, graph
        return _NODE
