"""Store URLs."""

from pathlib import Path

import pytest

from visitor_tracker.errors import StoreError
from visitor_tracker.store import open_store
from visitor_tracker.store.location import MysqlLocation, SqliteLocation, locate


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///:memory:", None),
        ("sqlite:///srv/visitors.db", Path("/srv/visitors.db")),
        ("sqlite:////srv/visitors.db", Path("/srv/visitors.db")),
        ("sqlite:/srv/visitors.db", Path("/srv/visitors.db")),
        ("sqlite:visitors.db", Path.cwd() / "visitors.db"),
        ("sqlite:data/my%20visitors%3F.db", Path.cwd() / "data/my visitors?.db"),
        ("sqlite:~/visitors.db", Path.home() / "visitors.db"),
    ],
)
def test_sqlite_urls(url: str, path: Path | None) -> None:
    assert locate(url) == SqliteLocation(path)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("mysql://u:p@h/d", MysqlLocation("h", 3306, "u", "p", "d")),
        ("mysql://h/d", MysqlLocation("h", 3306, "", "", "d")),
        ("mysql://u:p%40%3A%2F%3F%23@[::1]:3307/d", MysqlLocation("::1", 3307, "u", "p@:/?#", "d")),
        ("mysql://u:%C3%BC@h/d?pool_size=32", MysqlLocation("h", 3306, "u", "ü", "d", 32)),
        (
            "mysql://u@localhost/d?unix_socket=%2Frun%2Fmysqld.sock&ssl_ca=/ca.pem",
            MysqlLocation("localhost", 3306, "u", "", "d", unix_socket="/run/mysqld.sock", ssl_ca="/ca.pem"),
        ),
    ],
)
def test_mysql_urls(url: str, location: MysqlLocation) -> None:
    assert locate(url) == location


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "begins with sqlite:/// or mysql://"),
        ("postgres://u:hunter2@h/d", "begins with"),
        ("sqlite:", "names a file"),
        ("sqlite:///", "names a file"),
        ("sqlite://visitors.db", "three slashes"),
        ("sqlite:///a\0b", "names a file"),
        ("sqlite:///a?mode=ro", "no options"),
        ("mysql://u:hunter2@h", "looks like"),
        ("mysql://u:hunter2@h/", "looks like"),
        ("mysql:///d", "looks like"),
        ("mysql:d", "looks like"),
        ("mysql://u:hunter2@h:port/d", "looks like"),
        ("mysql://u:hunter2@h:99999/d", "looks like"),
        ("mysql://u:x/hunter2@h/d", "looks like"),
        ("mysql://u:x#hunter2@h/d", "looks like"),
        ("mysql://u:x?hunter2@h/d", "looks like"),
        ("mysql://u:[hunter2@h/d", "looks like"),
        (
            "mysql://u:hunter2@h/d?pool=3&timeout=4",
            "unknown option .*: pool, timeout; known ones are pool_size",
        ),
        ("mysql://u:hunter2@h/d?pool_size=0", "from 1 to 512"),
        ("mysql://u:hunter2@h/d?pool_size=many", "from 1 to 512"),
        ("mysql://u:hunter2@h/d?pool_size=99999999999", "from 1 to 512"),
    ],
)
def test_a_wrong_url_is_explained_without_the_password(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as refused:
        open_store(url)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_location_does_not_show_its_password() -> None:
    assert SECRET not in repr(locate(f"mysql://u:{SECRET}@h/d"))


@pytest.mark.parametrize("url", ["mysql://u:12/se?cret@h/db", "mysql://u:12/x?pool_size=cret@h/db"])
def test_a_password_with_signs_that_were_not_escaped_is_not_shown(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        locate(url)
    assert "cret" not in str(caught.value)
