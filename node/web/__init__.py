"""The node's pages for people, and the handlers that serve them."""
