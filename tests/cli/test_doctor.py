from node.home import Home
from tests.support.command_line import run, run_json
from tests.support.nodes import environment, free_port


def test_the_doctor_prints_a_line_for_each_look_and_what_to_do(home: Home) -> None:
    home.root.chmod(0o700)
    with environment(PATUNAY_LISTEN_PORT=str(free_port())):
        well = run("doctor", home=home.root)
        assert well.exit_code == 0
        assert "fail  " not in well.stdout
        assert "ok    disk" in well.stdout
        assert " 0 failed, " in well.stderr
        home.keystore_file.chmod(0o644)
        ill = run("doctor", home=home.root)
        assert ill.exit_code == 1
        assert "fail  keys" in ill.stdout
        assert "run `chmod 600 " in ill.stdout
        found = run_json("doctor", home=home.root, code=1)["findings"]
    assert {one["code"] for one in found if one["verdict"] == "fail"} == {"key-permissions"}


def test_a_passphrase_that_is_given_is_tried_and_none_is_asked_for(home: Home) -> None:
    with environment(PATUNAY_LISTEN_PORT=str(free_port())):
        wrong = run("doctor", home=home.root, passphrase="wrong")
        assert wrong.exit_code == 1
        assert "key-unlock-failed" in wrong.stdout
        sealed = run("doctor", home=home.root, passphrase=None)
        assert "sealed; no passphrase was given to try" in sealed.stdout
