from benchmarks.merkle import merkle_rows


def test_the_benchmark_holds_the_memory_goal_and_prints_every_row() -> None:
    """Time is not asserted here: a busy machine would fail it. Memory is exact."""
    rows = merkle_rows(20_000)
    assert [row[0] for row in rows] == [
        "tree of 20,000 leaves",
        "the same and every proof",
        "its peak memory",
    ]
    assert all(" s" in row[1] and "hashlib calls" in row[2] for row in rows[:2])
    assert rows[2][2] == "goal 100 B/leaf"
    assert float(rows[2][1].removesuffix(" B/leaf")) <= 100
