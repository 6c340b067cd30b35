"""Which destination a root names: a server, a bucket, a directory on a network file system or on a local disk. Knows no record."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ml_logger import settings
from ml_logger.client.base import Destination
from ml_logger.client.directory import DirectoryDestination
from ml_logger.elsewhere import is_bucket
from ml_logger.errors import SettingsError
from ml_logger.local_places import is_local
from ml_logger.store.root_format import refuse_newer


def make_destination(root: str, env: settings.Settings) -> Destination:
    """Return the destination that `root` names; raises `SettingsError` for none, `IncompatibleFormatError` for a newer format."""
    if root.startswith(("http://", "https://")):
        from ml_logger.client.http import HttpDestination

        return HttpDestination(root, env)
    if is_bucket(root):
        from ml_logger.client.bucket import BucketDestination

        return BucketDestination(root, env)
    if "://" in root and not root.startswith("file://"):
        raise SettingsError("root", root, "must be a path, file://…, http(s)://…, s3://… or gs://…")
    path = os.path.expanduser(root.removeprefix("file://"))
    if not is_local(Path(path)):
        from ml_logger.client.network_directory import NetworkDirectoryDestination

        return NetworkDirectoryDestination(path, env)
    destination = DirectoryDestination(path)
    with contextlib.suppress(OSError):  # what cannot be read is told when it cannot be written
        refuse_newer(destination.files)
    return destination
