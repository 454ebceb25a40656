"""Lines of the shell from -c and from standard input: order, statuses, streams."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.pynetemu import BLUE, PROGRAM, environment, in_blue, output, pynetemu


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("blue true", 0),
        ("blue false", 1),
        ("blue sh -c 'exit 7'", 7),
        ("blue exit 7", 7),
        ("blue sh -c 'kill -TERM $$'", 128 + signal.SIGTERM),
        ("blue nosuchprogram", 127),
        ("blue /etc/passwd", 126),
        ("nosuchnode ls", 127),
        ("blue 'unbalanced", 2),
        ("blue &", 2),
        ("exit 3", 3),
        ("", 0),
        ("# a comment", 0),
    ],
)
def test_the_exit_status_is_that_of_the_line(line: str, status: int) -> None:
    done = in_blue(line)
    assert done.returncode == status, done.stderr


def test_lines_run_in_order_up_to_the_first_that_fails() -> None:
    done = in_blue("blue echo one", "blue false", "blue echo two")
    assert (done.stdout, done.returncode) == ("one\n", 1)


def test_one_c_may_have_several_lines_and_leaves_none_to_the_next() -> None:
    done = in_blue("blue echo one\nroot echo two", "blue cat <<X\nthree\nX", "blue echo four")
    assert (done.stdout, done.returncode) == ("one\ntwo\nthree\nfour\n", 0)
    done = in_blue('blue echo "open', "blue echo two")
    assert (done.stdout, done.returncode) == ("", 2)


def test_options_may_stand_between_the_file_and_the_script(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("blue hostname\n")
    assert pynetemu(BLUE, "--name", "between", tmp_path / "script").stdout == "blue\n"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("export A=1", "variables are for a command in a node: blue NAME=VALUE COMMAND"),
        ("A=1 blue env", "variables are for a command in a node"),
        ("for x in a b", "it is one of sh's: say where, as in blue for ..., or !for ... on this machine"),
        ("(blue true)", "it is one of sh's"),
        ("capture x.pcapng", "'x.pcapng' is a file: capture -w x.pcapng ... writes it"),
    ],
)
def test_words_of_sh_and_files_in_the_wrong_place_get_the_hint_that_helps(line: str, hint: str) -> None:
    done = in_blue(line)
    assert hint in " ".join(done.stderr.split()) and done.returncode in (2, 127)


def test_standard_input_is_a_script_of_the_same_lines() -> None:
    done = pynetemu(BLUE, input="# first\nblue echo one\n\nroot echo two\nblue false\nblue echo three\n")
    assert (done.stdout, done.returncode) == ("one\ntwo\n", 1)


def test_a_command_does_not_eat_the_script_on_standard_input() -> None:
    assert pynetemu(BLUE, input="blue cat\nblue echo still here\n").stdout == "still here\n"


def test_with_c_a_command_reads_standard_input() -> None:
    assert pynetemu(BLUE, "-c", "blue cat", input="passed on\n").stdout == "passed on\n"


def test_quotes_pipes_and_redirections_mean_what_they_mean_in_sh(tmp_path: pytest.TempPathFactory) -> None:
    assert output("blue echo 'a  b' \"c  d\" e\\ f") == "a  b c  d e f\n"
    assert output("blue printf abc | wc -c").strip() == "3"
    assert output(f"blue echo kept > {tmp_path}/file", f"blue cat {tmp_path}/file") == "kept\n"
    assert output("blue x=1; echo $x") == "1\n"
    assert output("blue false || echo saved") == "saved\n"
    assert output("blue echo $((1 + 2))") == "3\n"
    assert output("blue echo '$HOME' \"*\" '|' '&' '#'") == "$HOME * | & #\n"


def test_lines_of_several_commands_and_of_one_node(tmp_path: Path) -> None:
    """After a node's name everything is the node's; else `;`, `&&` and `||` stand between commands of the shell."""
    script = f"""\
cd {tmp_path} && blue pwd
nodes > nodes.txt; blue grep -c blue nodes.txt
set +e
help nosuch; blue echo goes on
help nosuch && nodes; cd /; help nosuch || blue pwd
cd {tmp_path}
help nosuch || blue echo saved
set -e
sudo blue sudo -n echo from a | sudo -E -u root tr a b
blue echo a; echo '; nodes'
py print("a; b && c")
blue cat > document <<'END' && echo written
link root blue down  # it's only text
END
blue cat document; wc -l <<-END
	$((1 + 1))
	END
help nosuch; blue echo not in a script
"""
    done = pynetemu(BLUE, input=script)
    expected = "goes on|/|saved|from b|a|; nodes|a; b && c|written|link root blue down  # it's only text|1"
    assert done.stdout.split("\n") == [str(tmp_path), "1", *expected.split("|"), ""]
    assert (done.returncode, done.stderr.count("sudo is left out")) == (2, 1)


def test_output_and_errors_pass_unchanged_binary_included() -> None:
    script = "import sys; sys.stdout.buffer.write(bytes(range(256))); sys.stderr.buffer.write(bytes(range(255, -1, -1)))"
    done = subprocess.run(
        [*PROGRAM, BLUE, "-c", f'blue python3 -c "{script}"'], capture_output=True, check=True, env=environment(), timeout=30
    )
    assert done.stdout == bytes(range(256))
    assert done.stderr == bytes(reversed(range(256)))


def test_a_reader_that_has_enough_ends_the_lab_quietly() -> None:
    command = " ".join([*PROGRAM, str(BLUE), "-c", "'blue yes'"])
    done = subprocess.run(
        f"{command} | head -1", shell=True, capture_output=True, text=True, env=environment(), timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("y\n", "")


def test_a_background_job_runs_on_until_waited_for() -> None:
    done = in_blue("blue sh -c 'exit 4' &", "wait %1")
    assert done.returncode == 4
    assert done.stderr.startswith("[1] ")


def test_the_end_of_the_lab_ends_its_background_jobs() -> None:
    assert in_blue("blue sleep 1000 &", "blue true").returncode == 0


def test_unknown_words_name_the_nearest() -> None:
    assert in_blue("bleu ls").stderr == "pynetemu: no node or command 'bleu'; did you mean 'blue'?\n"
    assert in_blue("hlep").stderr == "pynetemu: no node or command 'hlep'; did you mean 'help'?\n"


def test_a_missing_program_names_its_debian_package() -> None:
    done = in_blue("blue wireshark")
    assert done.stderr.startswith("pynetemu: blue: no program 'wireshark'\n    hint: the Debian package wireshark has it: ")
    assert "apt-get install -y wireshark" in done.stderr


def test_an_unclosed_quote_is_told_with_the_line() -> None:
    assert in_blue("blue echo 'a").stderr == "pynetemu: No closing quotation: blue echo 'a\n"


def test_services_that_died_are_told_where_nobody_sits_at_a_prompt(tmp_path: Path) -> None:
    file = tmp_path / "lab.py"
    services = "    web = Service(h1, 'echo no; exit 3')\n    done = Service(h1, 'true', ready=finished())\n"
    file.write_text(f"from pynetemu import *\nclass Lab(Topology):\n    h1 = Host()\n{services}")
    has_ended = """h1 sh -c "while pgrep -f '[e]xit 3' >/dev/null; do :; done" """
    done = pynetemu(str(file), "-c", has_ended, "-c", "logs web")
    assert (done.returncode, done.stdout) == (0, "no\n")
    assert [line for line in done.stderr.splitlines() if "h1" in line] == [
        "pynetemu: web of h1 has ended with status 3; `logs h1.web` tells what it printed"
    ]
