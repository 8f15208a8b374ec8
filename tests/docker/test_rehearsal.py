"""What `make image-rehearsal` reads; it builds and runs all of it, which takes minutes."""

from pathlib import Path

import pytest

from tests.docker.rehearsal.dockerfile import assigned, parse_dockerfile
from tests.docker.rehearsal.services import read_compose
from tests.support.components import ROOT


def test_the_dockerfile_has_a_stage_that_builds_and_one_that_runs() -> None:
    build, final = parse_dockerfile(ROOT / "docker" / "Dockerfile")
    assert build.name == "build"
    assert final.command() == ["entrypoint", "serve"]
    assert ("COPY", "--from=build /app /app") in final.steps
    assert len([rest for name, rest in build.steps if name == "RUN"]) == 3
    found = assigned(final.last("ENV"), {"PATH": "/bin"})
    assert found["PATH"] == "/app/bin:/bin"
    assert found["PATUNAY_HOME"] == "/data/node"


def test_an_instruction_that_is_not_rehearsed_is_told(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM base\nADD a b\n", encoding="utf-8")
    with pytest.raises(ValueError, match="found the instruction ADD"):
        parse_dockerfile(file)


def test_compose_is_filled_in_and_wants_the_files_of_secrets() -> None:
    files = {
        "PATUNAY_PASSPHRASE_FILE": "/p",
        "PATUNAY_DATABASE_PASSWORD_FILE": "/d",
    }
    node = read_compose({**files, "PATUNAY_INIT_DOMAIN": "a.example"})["services"]["node"]
    assert node["environment"]["PATUNAY_INIT_DOMAIN"] == "a.example"
    assert node["environment"]["PATUNAY_INIT_WORKERS"] == 2
    with pytest.raises(ValueError, match="name a file that holds the passphrase"):
        read_compose({})
