"""Saves results as assets, one .blend each, in a Blender of its own: `python save_assets.py -- order.json`.

The order is a JSON object, see `saving.py`. What was done is told in lines of JSON, in its "news" file.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import bpy

PACKAGE = "patina_saving"


def main() -> None:
    order = json.loads(Path(sys.argv[sys.argv.index("--") + 1]).read_text("utf-8"))
    library = _addon_module(Path(order["addon"]), "asset_library")
    with Path(order["news"]).open("a", encoding="utf-8") as news:
        for number, entry in enumerate(order["results"], start=1):
            outcome: dict[str, Any] = {"done": number, "name": entry["name"]}
            try:
                outcome["file"] = str(library.save(entry, order))
            except library.FAILURES as error:
                outcome["error"] = library.disk.why(error)
            bpy.ops.wm.read_factory_settings(use_empty=True)
            news.write(json.dumps(outcome) + "\n")
            news.flush()


def _addon_module(folder: Path, name: str) -> Any:
    """A module of the add-on, wherever that is and whatever it is called there. It is not registered."""
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[PACKAGE])
    return importlib.import_module(f"{PACKAGE}.{name}")


if __name__ == "__main__":
    main()
