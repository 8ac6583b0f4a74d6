"""Which files are one texture: map sets by the words that Blender's Node Wrangler knows maps by."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

WORDS: dict[str, tuple[str, ...]] = {  # those of Node Wrangler's preferences, and a few that it lacks
    "basecolor": ("diffuse", "diff", "albedo", "base", "col", "color", "colour", "basecolor", "basecolour"),
    "metallic": ("metallic", "metalness", "metal", "mtl"),
    "specular": ("specularity", "specular", "spec", "spc"),
    "roughness": ("roughness", "rough", "rgh"),
    "gloss": ("gloss", "glossy", "glossiness", "smoothness"),
    "normal": ("normal", "nor", "nrm", "nrml", "norm"),
    "bump": ("bump", "bmp"),
    "height": ("displacement", "displace", "disp", "dsp", "height", "heightmap"),
    "emission": ("emission", "emissive", "emit"),
    "alpha": ("alpha", "opacity"),
    "ao": ("ao", "ambient occlusion", "occlusion"),
    "arm": ("arm", "orm"),  # Poly Haven's: occlusion, roughness and metal in red, green and blue
}
ROLES = {word: role for role, words in WORDS.items() for word in words}
TWO_WORDS = {("base", "color"), ("base", "colour"), ("ambient", "occlusion")}
GL_OR_DX = {"gl", "opengl", "ogl", "dx", "directx"}
DX = {"dx", "directx"}
SAID_AFTERWARDS = re.compile(r"\d*(k|px|bit)?|jpe?g|png|tiff?|exr|webp|v\d+")
"""What may follow the word of a map: resolution, version, format."""


@dataclass(frozen=True)
class Part:
    """What a file's name says.

    Attributes:
        key: the name without the word of its map: the same for all maps of a texture.
        role: a key of `WORDS`, or None where no word of a map is in the name.
        directx: a normal map whose green points down.
    """

    key: str
    role: str | None
    directx: bool = False


@dataclass(frozen=True)
class Texture:
    """Files that are one texture.

    Attributes:
        name: of people: "mossy_cobblestones_v1".
        files: role → file; a plain picture has its base colour alone.
        directx: whether the normal map is of that kind.
    """

    name: str
    files: dict[str, Path]
    directx: bool = False

    @property
    def main(self) -> Path:
        """The file that stands for the texture."""
        return self.files["basecolor"]


def part_of(path: Path) -> Part:
    """What a file's name says about the texture that it belongs to.

    The last word of a map in the name decides: "metal_plate_rough" is a roughness map of "metal_plate".
    Digits, resolutions and versions may follow it; other words may not, or "base_camp" would be a map.
    """
    words = _words(path.stem)
    for at in reversed(range(len(words))):
        word = re.sub(r"\d+$", "", words[at].lower())
        pair = (words[at - 1].lower(), word) if at else ("", "")
        if pair in TWO_WORDS:
            return _part(words, at - 1, at + 1, "basecolor" if pair[0] == "base" else "ao")
        if word in ROLES:
            return _part(words, at, at + 1, ROLES[word])
        if word not in GL_OR_DX and not SAID_AFTERWARDS.fullmatch(words[at].lower()):
            break
    return Part("_".join(words).lower(), None)


def group(paths: Iterable[Path]) -> tuple[list[Texture], list[Path]]:
    """The textures that files make up, sorted by name of their main file, and the maps that belong to none.

    Files of one folder and one key are a set, if one of them is its base colour: by its word, or by having no
    word at all ("wood.png" beside "wood_normal.png"). A lone file is a picture, whatever its name says.
    """
    sets: dict[tuple[Path, str], list[tuple[Path, Part]]] = defaultdict(list)
    for path in sorted(paths):
        part = part_of(path)
        sets[path.parent, part.key].append((path, part))
    textures: list[Texture] = []
    homeless: list[Path] = []
    for members in sets.values():
        found, rest = _set(members)
        textures += found
        homeless += rest
    return sorted(textures, key=lambda t: t.main), sorted(homeless)


def _set(members: list[tuple[Path, Part]]) -> tuple[list[Texture], list[Path]]:
    files: dict[str, Path] = {}
    directx = False
    more: list[Path] = []
    # Where there are two normal maps Blender wants the OpenGL one; a base colour by its word goes first.
    for path, part in sorted(members, key=lambda m: (m[1].role is None, m[1].directx)):
        role = part.role or "basecolor"
        if role in files:
            if role == "basecolor":
                more.append(path)
            continue
        files[role] = path
        directx = directx or (role == "normal" and part.directx)
    if "basecolor" not in files:
        if len(files) > 1:
            return [], [path for path, _ in members]
        files = {"basecolor": members[0][0]}
    plain = [Texture(path.stem, {"basecolor": path}) for path in more]
    name = members[0][0].stem if len(files) == 1 else _named(members, files["basecolor"])
    return [Texture(name, files, directx), *plain], []


def _named(members: list[tuple[Path, Part]], main: Path) -> str:
    """The part of the main file's name that it shares with its other maps."""
    stems = [path.stem for path, _ in members]
    shared = 0
    while all(len(s) > shared and s[shared] == main.stem[shared : shared + 1] for s in stems):
        shared += 1
    return main.stem[:shared].rstrip(" _-.") or main.parent.name or main.stem


def _part(words: list[str], first: int, end: int, role: str) -> Part:
    rest = [*words[:first], *words[end:]]
    directx = any(word.lower() in DX for word in rest)
    if role == "normal":
        rest = [word for word in rest if word.lower() not in GL_OR_DX]
    return Part("_".join(rest).lower(), role, directx and role == "normal")


def _words(stem: str) -> list[str]:
    """Split as Node Wrangler does: at "_", "-", ".", "#", spaces, and at "lC" of CamelCase."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", stem)
    return [word for word in re.split(r"[\s_.\-#]+", spaced) if word]
