"""The door: environments are made once and whole, locks serve any mirror, the zip is the same twice."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

import build
from tests import conftest

ROOT = Path(build.__file__).parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """An empty checkout in a folder whose name has a space, with one lock; set-up steps only pretend."""
    root = tmp_path / "a checkout"
    (root / "requirements").mkdir(parents=True)
    (root / "requirements/small.txt").write_text("six==1.17.0\n")
    (root / "requirements/tools.txt").write_text("uv==0\n")
    monkeypatch.setattr(build, "ROOT", root)
    monkeypatch.setattr(build, "ENV", root / ".env")
    steps = []

    def pretend(title, *_command):
        steps.append(title)
        for name in ("small", "tools"):
            if title == f"Making the environment {name!r}":
                build.python_of(name).parent.mkdir(parents=True)
                build.python_of(name).touch()

    monkeypatch.setattr(build, "step", pretend)
    return root, steps


def test_an_environment_is_made_once(checkout):
    _, steps = checkout
    python = build.environment("small")
    assert python.exists()
    made = len(steps)
    assert build.environment("small") == python
    assert len(steps) == made


@pytest.mark.parametrize("spoil", ["lock", "stamp", "python"])
def test_an_environment_out_of_date_or_half_made_is_made_again(checkout, spoil):
    root, steps = checkout
    python = build.environment("small")
    if spoil == "lock":
        (root / "requirements/small.txt").write_text("six==1.16.0\n")
    elif spoil == "stamp":
        (root / ".env/small/patina.stamp").unlink()
    else:
        python.unlink()
    (root / ".env/small/left over").touch()
    steps.clear()
    build.environment("small")
    assert steps == ["Making the environment 'small'", "Installing what 'small' needs"]
    assert not (root / ".env/small/left over").exists()


def test_a_step_that_fails_leaves_no_environment_to_trust(checkout, monkeypatch):
    root, _ = checkout
    pretend = build.step

    def fail_late(title, *command):
        if "needs" in title:
            raise build.Failed("no")
        pretend(title, *command)

    monkeypatch.setattr(build, "step", fail_late)
    with pytest.raises(build.Failed):
        build.environment("small")
    assert not build.is_ready("small")
    assert build.is_ready("tools")  # uv itself need not be fetched again
    assert (root / ".env/small").exists()


def test_a_moved_checkout_is_set_up_again(checkout, monkeypatch):
    """Environments hold absolute paths; one that was moved used to start the interpreter of the old place."""
    root, _ = checkout
    build.environment("small")
    moved = root.rename(root.with_name("moved"))
    monkeypatch.setattr(build, "ROOT", moved)
    monkeypatch.setattr(build, "ENV", moved / ".env")
    assert not build.is_ready("small")


def test_two_set_ups_take_turns(checkout):
    """Two commands started together used to delete each other's half-made environment."""
    root, _ = checkout
    hold = (
        "import sys, time, pathlib; sys.path.insert(0, sys.argv[1]); import build\n"
        "build.ENV = pathlib.Path(sys.argv[2])\n"
        "with build.setup_lock():\n"
        "    print('held', flush=True); sys.stdin.read(); (build.ENV / 'first').touch()\n"
    )
    (root / ".env").mkdir()
    command = [sys.executable, "-c", hold, str(ROOT), str(root / ".env")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "held\n"
        with (root / ".env/setup.lock").open("a+b") as file:
            assert not build.try_lock(file.fileno())
        first.stdin.close()
        with build.setup_lock():
            assert (root / ".env/first").exists()


OFFLINE = {
    "uv behind a dead proxy": (
        "error: Failed to fetch: simple/six/\n"
        "  cause: error sending request for url (simple/six/)\n"
        "  cause: tcp connect error\n"
        "  cause: Connection refused (os error 111)"
    ),
    "uv without a network": (
        "error: Failed to fetch: simple/six/\n"
        "  cause: error sending request for url (simple/six/)\n"
        "  cause: dns error"
    ),
    "uv told to stay offline": "hint: Packages were unavailable because the network was disabled.",
    "pip": "ERROR: Could not find a version that satisfies the requirement six==1 (from versions: none)",
}


@pytest.mark.parametrize("said", OFFLINE.values(), ids=OFFLINE.keys())
def test_no_network_is_said_in_a_sentence(tmp_path, monkeypatch, said):
    """What the installers print when nothing answers does not say what to do."""
    monkeypatch.setattr(build, "ENV", tmp_path)
    with pytest.raises(build.Failed, match=r"^The package registry cannot be reached\."):
        build.step("Installing", sys.executable, "-c", "import sys; sys.exit(sys.argv[1])", said)


def test_a_failing_step_shows_the_end_of_its_output(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "ENV", tmp_path)
    with pytest.raises(build.Failed, match=r"Trying: this step failed\.\n\n    the reason"):
        build.step("Trying", sys.executable, "-c", "import sys; print('the reason'); sys.exit(3)")


def test_an_active_environment_does_not_leak(monkeypatch):
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.setenv(name, "/elsewhere")
    monkeypatch.setenv("UV_INDEX_URL", "a mirror")
    variables = build.environment_variables(MORE="1")
    assert not {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"} & set(variables)
    assert variables["UV_INDEX_URL"] == "a mirror"
    assert variables["MORE"] == "1"


def test_what_is_compiled_is_kept_even_where_an_image_says_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    (tmp_path / "small.py").write_text("")
    assert build.run(sys.executable, "-c", "import small") == 0
    assert list((tmp_path / "__pycache__").glob("small.*.pyc"))


def test_a_command_out_of_time_is_ended():
    started = time.monotonic()
    assert build.run(sys.executable, "-c", "import time; time.sleep(60)", timeout_s=0.5) == 124
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_locks_pin_and_hash_everything_and_name_no_registry(lock):
    text = lock.read_text()
    assert not re.search(r"https?:|--(extra-)?index|--find-links|file:|^/|^\s+/", text, re.MULTILINE)
    requirements = re.split(r"\n(?=\S)", text.replace("\\\n", " ").strip())
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_tests_run_on_what_the_engine_runs_on():
    dev = (ROOT / "requirements/dev.txt").read_text()
    for requirement in re.split(r"\n(?=\S)", (ROOT / "requirements/engine.txt").read_text().strip()):
        assert requirement in dev, requirement.splitlines()[0]


def test_locks_hold_what_was_asked_for():
    for source in sorted((ROOT / "requirements").glob("*.in")):
        lock = source.with_suffix(".txt").read_text()
        for line in source.read_text().splitlines():
            if asked := re.match(r"([a-z][\w-]*)(==[\w.]+)?", line):
                name = asked[1].replace("_", "-")
                assert re.search(rf"^{name}{re.escape(asked[2] or '==')}", lock, re.MULTILINE), (source, line)


def test_the_zip_is_the_same_twice(tmp_path):
    first = build.write_zip(tmp_path / "one").read_bytes()
    os.utime(ROOT / "addon/__init__.py")
    second = build.write_zip(tmp_path / "two")
    assert first == second.read_bytes()
    assert [path.name for path in (tmp_path / "two").iterdir()] == [f"patina-{build.version()}.zip"]


def test_the_zip_holds_what_blender_runs_and_no_more(tmp_path):
    with zipfile.ZipFile(build.write_zip(tmp_path)) as file:
        names = set(file.namelist())
    assert {name.partition("/")[0] for name in names} == {"patina"}
    beside = {"LICENSE", "guide.md", "sizes.json", "__init__.py", "blender_manifest.toml"}
    assert {f"patina/{name}" for name in beside} <= names
    presets = {path.stem for path in (ROOT / "presets").glob("*.json")}
    assert {f"patina/presets/{stem}.json" for stem in presets} <= names
    assert {f"patina/presets/thumbnails/{stem}.jpg" for stem in presets} <= names
    for part in ("demo", "tests", "__pycache__", "docs"):
        assert not [name for name in names if part in Path(name).parts]
    assert not [name for name in names if name.endswith((".pyc", ".pyo"))]


def test_the_zips_guide_has_all_of_the_guide_but_its_pictures(tmp_path):
    with zipfile.ZipFile(build.write_zip(tmp_path)) as file:
        packed = file.read("patina/guide.md").decode("utf-8")
    whole = (ROOT / "addon/docs/guide.md").read_text("utf-8")
    assert "![" not in packed
    assert not re.search(r"\.(png|jpg)\b|[Pp]ictures are of", packed)
    assert "\n\n\n" not in packed
    left_out = [line for line in whole.splitlines() if line not in packed.splitlines()]
    assert [line for line in left_out if "![" not in line] == [whole.splitlines()[2]]
    assert packed.splitlines()[2] == "From the zip to a material on your object, on one page."


def test_the_add_on_knows_the_engine_that_was_published_with_it(tmp_path):
    engine = build.write_engine_zip(tmp_path / "one")
    assert engine.read_bytes() == build.write_engine_zip(tmp_path / "two").read_bytes()
    with zipfile.ZipFile(build.write_zip(tmp_path, engine)) as file:
        known = json.loads(file.read("patina/engine.json"))
    sha256 = hashlib.sha256(engine.read_bytes()).hexdigest()
    assert known == {"file": engine.name, "sha256": sha256, "version": build.version()}
    with zipfile.ZipFile(engine) as file:
        names = set(file.namelist())
    wanted = {
        "engine/__main__.py",
        "engine/starter/weights/generator/model.safetensors",
        "presets/stone.json",
    }
    wanted |= {f"requirements/{name}" for name in ("engine.txt", "tools.txt", "sizes.json")}
    assert {f"patina-engine/{name}" for name in wanted} <= names
    assert not [name for name in names if "__pycache__" in name or "/." in name or "addon" in name]


@pytest.mark.parametrize("place", ["addon/__init__.py", "addon/blender_manifest.toml", "engine/__init__.py"])
def test_three_versions_that_differ_stop_the_package(checkout, place):
    root, _ = checkout
    for file in ("addon/__init__.py", "addon/blender_manifest.toml", "engine/__init__.py"):
        text = (ROOT / file).read_text("utf-8")
        other = text.replace("(0, 1, 0)", "(0, 1, 9)").replace('"0.1.0"', '"0.1.9"')
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(other if file == place else text, "utf-8")
    with pytest.raises(build.Failed, match=r"0\.1\.9"):
        build.version()


@pytest.mark.parametrize(("command", "environment"), [("bench", "engine"), ("train", "train")])
def test_what_follows_goes_to_the_engine(monkeypatch, command, environment):
    ran = []
    monkeypatch.setattr(build, "environment", build.python_of)
    monkeypatch.setattr(build, "run", lambda *words: ran.append(words) or 0)
    assert build.main([command, "--help", "--out", "here"]) == 0
    assert ran == [(build.python_of(environment), "-m", "engine", command, "--help", "--out", "here")]


def test_every_test_file_belongs_to_a_stage():
    """A folder that no stage names would never run, and nobody would miss it."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        name = path.relative_to(ROOT).as_posix()
        assert any(stage.owns(name) for stage in build.STAGES), name


def test_a_path_goes_to_its_own_stages():
    def titles(path):
        return [stage.title for stage in build.STAGES if stage.owns(path)]

    assert titles("tests/engine/test_x.py::test_y") == ["engine"]
    assert titles("tests/addon/link/test_x.py") == ["engine"]
    assert titles("tests/addon/test_x.py") == ["Blender 4.2", "Blender 4.5", "Blender 5.0"]
    assert titles("tests/gui/test_x.py") == ["windows"]


def test_modules_with_slow_tests_begin_and_stay_together():
    def test(path, *marks):
        return SimpleNamespace(path=path, get_closest_marker=lambda name: name if name in marks else None)

    a, b = test("a"), test("a", "usefixtures")
    c, d, e = test("b"), test("b", "slow"), test("c")
    items = [a, b, c, d, e]
    conftest.pytest_collection_modifyitems(items)
    assert items == [c, d, a, b, e]


def test_who_only_hands_out_tests_waits_for_no_torch():
    """What pytest reads before it starts its workers."""
    script = "import sys, tests.conftest, tests.engine.conftest; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "pytest" in done.stdout.split() and "torch" not in done.stdout.split()


def test_two_jobs_run_side_by_side_and_speak_one_after_the_other(capsys):
    met = threading.Barrier(2)

    def job(title, log):
        build.say(f"{title} begins", log)
        met.wait(30)  # raises where no other one runs at the same time
        code = f"print('{title} in a child')"
        assert build.run(sys.executable, "-c", code, log=log) == 0
        build.say(f"{title} ends", log)
        return build.Counter(passed=2, failed=1)

    names = ("a", "b", "c", "d")
    assert build.two_at_a_time([partial(job, name) for name in names]) == {"passed": 8, "failed": 4}
    said = capsys.readouterr().out.splitlines()
    told = [said[at : at + 3] for at in range(0, 12, 3)]
    assert sorted(told) == [[f"{name} begins", f"{name} in a child", f"{name} ends"] for name in names]


def test_after_a_job_that_cannot_run_none_begins():
    begun = []

    def fails(_log):
        raise build.Failed("no")

    def goes_on(_log):
        begun.append(time.sleep(0.5))
        return build.Counter()

    with pytest.raises(build.Failed):
        build.two_at_a_time([fails, goes_on, *[goes_on] * 9])
    assert len(begun) < 5


@pytest.mark.parametrize(("arguments", "checked"), [([], ["style", "format", "types"]), (["-x"], [])])
def test_the_stage_that_needs_every_core_has_them_to_itself(
    tmp_path, monkeypatch, capsys, arguments, checked
):
    (tmp_path / "tests").mkdir()
    stages = [
        build.Stage(title, "any", ("tests",), alone=title == "engine") for title in ("engine", "a", "b")
    ]
    ran = []

    def stage(stage, arguments, log=None):
        ran.append(stage.title)
        assert arguments == ["tests", *options]
        return build.Counter(passed=1, failed=stage.title == "b")

    options = arguments
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "STAGES", stages)
    monkeypatch.setattr(build, "environment", lambda _: Path(sys.executable))
    monkeypatch.setattr(build, "run_stage", stage)
    monkeypatch.setattr(build, "check", lambda title, _, log=None: ran.append(title) or build.Counter())
    assert build.test(arguments) == 1
    assert [title for title in ran if title in checked] == checked
    assert {"a", "b"} <= set(ran[ran.index("engine") + 1 :])
    assert "each shown when it ends: a, b" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("def test_a(): pass", {"passed": 1, "failed": 0, "skipped": 0}),
        ("def test_a(): assert 0\ndef test_b(): pass", {"passed": 1, "failed": 1, "skipped": 0}),
        ("import pytest\ndef test_a(): pytest.skip('no')", {"passed": 0, "failed": 0, "skipped": 1}),
        ("import nowhere_to_be_found", {"passed": 0, "failed": 1, "skipped": 0}),
        ("import os\ndef test_a(): os._exit(139)", {"failed": 1}),
        ("import atexit, os\natexit.register(os._exit, 139)\ndef test_a(): pass", {"passed": 1, "failed": 1}),
    ],
    ids=["passes", "fails", "skips", "cannot be imported", "dies", "dies on leaving"],
)
def test_outcomes_are_counted_from_what_pytest_reports(tmp_path, monkeypatch, body, expected):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(body)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "environment", lambda _: Path(sys.executable))
    count = build.run_stage(build.Stage("it", "any", (".",)), ["test_it.py"])
    assert {key: count[key] for key in expected} == expected
