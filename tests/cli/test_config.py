from pathlib import Path

from node.home import Home
from tests.support.command_line import assert_refused, run, run_json
from tests.support.nodes import environment


def test_each_setting_is_shown_with_its_source(home: Home) -> None:
    with environment(PATUNAY_LISTEN_PORT="9001", DATABASE_URL=""):
        shown = run_json("config", "show", home=home.root)["settings"]
        lines = run("config", "show", home=home.root).stdout.splitlines()
    found = {one["name"]: (one["value"], one["source"]) for one in shown}
    assert found["listen_port"] == (9001, "PATUNAY_LISTEN_PORT")
    assert found["domain"] == ("localhost:8460", "patunay.toml")
    assert lines[0].split() == ["setting", "value", "from"]
    assert any(
        line.split() == ["allow_loopback_http", "true", "patunay.toml"] for line in lines
    )


def test_check_says_valid_or_what_is_wrong(home: Home) -> None:
    assert run("config", "check", home=home.root).stdout == "valid\n"
    assert run_json("config", "check", home=home.root)["valid"] is True
    with environment(PATUNAY_LISTEN_PROT="1"):
        wrong = run("config", "check", home=home.root)
    assert_refused(wrong, "config-variable-invalid", exit_code=4)
    home.config_file.write_text('domain = "x.example"\nlisten_prot = 1\n')
    wrong = run("config", "check", home=home.root)
    assert_refused(wrong, "config-invalid", exit_code=4)


def test_a_database_that_the_environment_names_is_said_to_be(home: Home) -> None:
    with environment(DATABASE_URL="postgresql://user:canary@db.example/node"):
        result = run("config", "show", home=home.root)
    assert result.exit_code == 0
    assert "DATABASE_URL" in result.stdout
    assert "canary" not in result.stdout


def test_the_passphrase_can_be_in_a_file_that_a_variable_names(
    home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "passphrase"
    file.write_text("wrong\n")
    add = ("issuer", "add", "north", "--name", "North")
    with environment(PATUNAY_PASSPHRASE_FILE=str(file)):
        result = run(*add, home=home.root)
    assert_refused(result, "key-unlock-failed", exit_code=4)
    file.write_text("carabao at sunrise\n")
    with environment(PATUNAY_PASSPHRASE_FILE=str(file)):
        assert run(*add, home=home.root, passphrase=None).exit_code == 0
