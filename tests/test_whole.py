"""Files are written whole or not at all, and nothing else than a file is replaced."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

import jaxsched as js
from jaxsched.inspect.whole import whole

LINE = js.linear_schedule(1.0, 0.0, 10)


def write(path, text="new"):
    with whole(path) as partial:
        partial.write_text(text)


def test_what_is_no_regular_file_stays(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/null")
    for name in ("folder", "pipe", "loop", "device"):
        with pytest.raises(ValueError, match=f"`path` must be that of a regular file.*{name}"):
            write(tmp_path / name)
    with pytest.raises(ValueError, match="`path`"):
        js.plot(LINE, 10, path="/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "pipe", "loop", "device"}


def test_permissions_stay(tmp_path):
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("old")
    other.write_text("old")
    for mode in (0o600, 0o664, 0o755):
        file.chmod(mode)
        write(file)
        assert stat.S_IMODE(file.stat().st_mode) == mode
    write(tmp_path / "c")
    assert (tmp_path / "c").stat().st_mode == other.stat().st_mode


def test_links_stay_and_what_they_point_to_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    (tmp_path / "link").symlink_to("elsewhere/target")
    (tmp_path / "second").symlink_to("link")
    for name in ("link", "second"):
        write(tmp_path / name, name)
        assert (tmp_path / name).is_symlink()
        assert target.read_text() == name
    assert list(target.parent.iterdir()) == [target]


def test_a_failure_leaves_what_was_there(tmp_path):
    file = tmp_path / "a"
    write(file, "old")
    with pytest.raises(TypeError, match="str"):
        write(file, 3)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_name_of_any_length(tmp_path):
    file = tmp_path / ("ä" * 127)
    write(file)
    assert file.read_text() == "new"


def test_threads_do_not_meet(tmp_path):
    texts = [str(i) * 10_000 for i in range(10)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda i: write(tmp_path / "a", texts[i % 10]), range(200)))
    assert (tmp_path / "a").read_text() in texts
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_pictures_of_several_threads(tmp_path):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: js.plot(LINE, 10, path=tmp_path / "a.svg"), range(6)))
    assert (tmp_path / "a.svg").read_text().endswith("</svg>\n")
