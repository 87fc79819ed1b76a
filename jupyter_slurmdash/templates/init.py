"""``jupyter slurmdash init``: the empty shelves, with rights that let people share and keep apart."""

from __future__ import annotations

import stat
from pathlib import Path

from .model import CATEGORIES
from .shelves import user_folder

# The directory of a shelf and its mode. Community is like /tmp: everyone may add, only the owner (or root)
# may change or remove. Private and archived are not: who could make directories there could make another
# user's. On shared shelves the administrator makes them, one run per user.
_PLAIN, _SHARED, _OWN = 0o755, 0o1777, 0o700


def shelf_modes(user: str | None = None) -> list[tuple[str, int]]:
    """Directories below the root with their modes, parents first."""
    shelves = [("official", _PLAIN), *((f"official/{category}", _PLAIN) for category in CATEGORIES)]
    shelves += [("community", _SHARED), ("community/.versions", _SHARED)]
    shelves += [("private", _PLAIN), ("archived", _PLAIN)]
    own = user_folder(user) if user else None
    if own:
        shelves += [(f"private/{own}", _OWN), (f"archived/{own}", _OWN)]
    return shelves


def init_shelves(root: str | Path, dry_run: bool = False, user: str | None = None) -> list[str]:
    """Make what is missing and set wrong modes right; what was done (or would be), one line each.

    Nothing is removed and no file is touched, so it may run again at any time; on complete shelves the
    answer is empty. Raises OSError when this user may not (a site's shelves belong to the administrator).
    """
    base = Path(root)
    done: list[str] = []
    for path, mode in [(base, _PLAIN), *((base / name, mode) for name, mode in shelf_modes(user))]:
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise NotADirectoryError(f"{path} is not a directory. Move it away and run this again.")
        if not path.exists():
            done.append(f"create {path} ({mode:04o})")
            if not dry_run:
                path.mkdir(parents=path == base, exist_ok=True)
                path.chmod(mode)
        elif path != base and stat.S_IMODE(path.stat().st_mode) != mode:
            done.append(f"set {path} to {mode:04o}")
            if not dry_run:
                path.chmod(mode)
    return done
