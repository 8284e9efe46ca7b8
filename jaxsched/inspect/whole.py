"""Files that are written whole or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jaxsched.core.checks import refuse


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A new file to write to, which at the end is the one at the path, or goes on an error.

    Where a link is there, what it points to is replaced. The permissions of what was there stay.
    The new file has a name of its own, so that threads and processes do not meet in it.

    Raises:
      ValueError: for what is there and no regular file: a folder, a device, a pipe.
    """
    target = Path(os.path.realpath(path))
    mode = _mode(path, target)
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield partial
        if mode is not None:
            partial.chmod(mode)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _mode(path: Path, target: Path) -> int | None:
    """The permissions of the file that is there, if one is."""
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        refuse("path", str(path), "that of a regular file, where something is")
    return stat.S_IMODE(mode)
