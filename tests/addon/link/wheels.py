"""A small engine to install, and the wheels that it needs: uv itself, and a package of ours."""

from __future__ import annotations

import hashlib
import json
import sys
import textwrap
import zipfile
from pathlib import Path

from tests.addon.link.talk import BEHAVES, TALK

EXECUTABLE = 0o100755 << 16
UV = Path(sys.executable).parents[2] / "tools" / ("Scripts/uv.exe" if sys.platform == "win32" else "bin/uv")
"""build.py's own: it stands beside the environment that runs these tests."""

CLI = """
import json, pathlib, sys
def main(arguments):
    import patina_tiny
    assert arguments == ["verify", "--json"]
    models = pathlib.Path(__file__).with_name("model.bin").read_bytes()
    assert models == b"weights", "the model is damaged"
    print(json.dumps({"version": "9.9", "device": "cpu", "tiny": patina_tiny.VALUE}))
    return 0
"""


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes]) -> str:
    """A pure wheel; what is under NAME-VERSION.data/scripts is executable. Returns its line for a lock."""
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    described = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*described, f"{about}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as file:
        for path, content in {**described, f"{about}/RECORD": record.encode()}.items():
            entry = zipfile.ZipInfo(path, date_time=(2020, 1, 1, 0, 0, 0))
            entry.external_attr = EXECUTABLE
            file.writestr(entry, content)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name.replace('_', '-')}=={version} \\\n    --hash=sha256:{digest}\n"


def make(folder: Path) -> None:
    """`wheels` and `program` in a folder."""
    wheels, program = folder / "wheels", folder / "program"
    wheels.mkdir()
    uv = write_wheel(wheels, "uv", "0.0.1", {f"uv-0.0.1.data/scripts/{UV.name}": UV.read_bytes()})
    tiny = write_wheel(wheels, "patina_tiny", "1.0", {"patina_tiny.py": b"VALUE = 'here'\n"})
    files = {
        "engine/__init__.py": "",
        "engine/__main__.py": TALK + BEHAVES,
        "engine/cli.py": textwrap.dedent(CLI),
        "engine/model.bin": "weights",
        "presets/plain.json": "{}",
        "requirements/tools.txt": uv,
        "requirements/engine.txt": tiny,
        "requirements/sizes.json": json.dumps(
            dict.fromkeys(("cuda", "cuda12", "rocm", "mps", "cpu"), 1 << 20)
        ),
    }
    for name, content in files.items():
        path = program / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
