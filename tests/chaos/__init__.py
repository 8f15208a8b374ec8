"""Random histories of a node, its chain and the line between them."""
