"""Three processes of one node on one PostgreSQL, under load, and the leader killed."""
