"""The node's memory: tables, migrations and the queries on them."""
