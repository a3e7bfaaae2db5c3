"""Downloads, complete and verified, or not at all."""

import shutil
import sys
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pooch
import requests

from imdb_rnn.core.errors import UserError

LIMIT = 2**30  # bytes of a download; Keras' archive has 17 million
TIMEOUT = 30  # seconds without a byte from the server
RETRIES = 3  # after the first attempt; pooch waits 1, 2, 3 s between them
NOT_FINAL = (408, 429)  # 4xx answers after which another attempt may succeed: timeout, too many requests


def fetch(
    url: str, checksum: str, path: Path, *, timeout: float = TIMEOUT, retries: int = RETRIES, limit: int = LIMIT
) -> Path:
    """Download `url` to `path`, or keep the file that is there if its checksum is right.

    The file appears under its name only when it is complete and verified. After a pause a failed attempt is repeated.

    Args:
        url: http://, https:// or file://.
        checksum: as pooch takes it, `sha256:…`.
        timeout: seconds without a byte after which an attempt fails.
        retries: further attempts after a failed one; a 4xx answer (not found, forbidden) is final, except `NOT_FINAL`.
        limit: bytes that a server may send at most.

    Raises:
        UserError: when the download fails, with the address and the reason.
    """

    def download(url: str, output: str, manager: pooch.Pooch) -> None:
        http = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=1 << 16, timeout=timeout)
        try:
            if urlsplit(url).scheme == "file":
                shutil.copyfile(url2pathname(urlsplit(url).path), output)
            else:
                with Path(output).open("wb") as file:
                    http(url, _Bounded(file, limit), manager)
        except ValueError as error:
            if isinstance(error, requests.RequestException):
                raise
            raise UserError(f"{url}: not a valid address ({error})") from error
        except requests.HTTPError as error:
            answer = error.response
            if 400 <= answer.status_code < 500 and answer.status_code not in NOT_FINAL:
                raise UserError(f"{url}: the server says {answer.status_code} {answer.reason}") from error
            raise

    pooch.get_logger().setLevel("ERROR")
    manager = pooch.create(
        path.parent, base_url="", registry={path.name: checksum}, urls={path.name: url}, retry_if_failed=retries
    )
    advice = "check the address in params.yaml and your connection, or set data.source to bundled"
    try:
        manager.fetch(path.name, downloader=download)
    except UserError as error:
        raise UserError(f"{error}; {advice}") from error
    except requests.RequestException as error:
        raise UserError(f"{url}: download failed ({' '.join(str(error).split())}); {advice}") from error
    except ValueError as error:  # pooch raises it for a wrong checksum
        raise UserError(
            f"{url}: not the expected file, its checksum is not {checksum}; nothing was kept; "
            "check the address and the checksum in params.yaml"
        ) from error
    except OSError as error:
        raise UserError(
            f"{url}: cannot be copied to {path} ({error.strerror or error}); "
            "check the address in params.yaml, and that there is space and permission to write"
        ) from error
    return path


class _Bounded:
    """A file that takes at most `limit` bytes, whatever length the server claimed.

    The file below it is buffered, because on a full disk a raw file may write a part and say so only by its return
    value.
    """

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.file, self.limit = file, limit

    def write(self, data: bytes) -> int:
        if self.file.tell() + len(data) > self.limit:
            raise UserError(f"the server sends more than {self.limit} bytes")
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()
