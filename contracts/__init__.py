"""The on-chain contract: Vyper source, what the compiler makes of it, and a reader."""
