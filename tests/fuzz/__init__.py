"""Mutated inputs by the thousand, through every way in, against an oracle of its own."""
