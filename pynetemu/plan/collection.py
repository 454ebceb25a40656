"""The topologies that come with pynetemu: in a clone its folder `topologies`, else a part of the package."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def collection() -> dict[str, Path]:
    """The files by their names without suffix, those that are broken on purpose after the others; none where there are none."""
    folder = next((folder for folder in (_PACKAGE / "examples", _PACKAGE.parent / "topologies") if folder.is_dir()), None)
    if folder is None:
        return {}
    files = [*sorted(folder.glob("*.py")), *sorted(folder.glob("broken/*.py"))]
    return {str(file.relative_to(folder).with_suffix("")): file for file in files if not file.name.startswith("_")}
