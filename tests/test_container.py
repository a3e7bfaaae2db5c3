"""The image of the Containerfile, built by buildah and run in a chroot with a read-only root, as the image's user.

Needs root, buildah, and packages from the internet: `make test-container`. BASE names a base image; without it Debian's
debootstrap makes one, once.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import copy_checkout
from material import model_of_two_words

from imdb_rnn import model_file
from imdb_rnn.core import files

pytestmark = pytest.mark.container

MADE_BASE, IMAGE = "localhost/imdb-rnn-base", "localhost/imdb-rnn-test"
OF_MACHINE = [path for path in ("/etc/ssl/certs", "/etc/pip.conf") if Path(path).exists()]  # how it reaches packages
# No container runtime: a read-only root with a /tmp, in which the command runs as the user of the image
CONTAINED = """
root=$1 user=$2; shift 2
mount --bind "$root" "$root" && mount -o remount,bind,ro "$root" && mount -t tmpfs tmpfs "$root/tmp" &&
mount --bind /dev "$root/dev" && exec chroot --userspec="$user:$user" "$root" env -i "$@"
"""


class Image(NamedTuple):
    root: str
    config: dict

    def command(self, *command: str) -> list[str]:
        user = self.config["User"]
        return ["unshare", "--mount", "sh", "-c", CONTAINED, "sh", self.root, user, *self.config["Env"], *command]

    def run(self, *command: str) -> str:
        return output(*self.command(*command))


def output(*command: str, **options) -> str:
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, **options)
    assert process.returncode == 0, command
    return process.stdout.strip()


def base(folder: Path) -> str:
    """The name of an image with Python, which stands for the one of the Containerfile."""
    if name := os.environ.get("BASE"):
        return name
    if MADE_BASE not in output("buildah", "images", "--format", "{{.Name}}").splitlines():
        output("debootstrap", "--variant=minbase", "--include=python3,python3-venv", "bookworm", str(folder))
        for unneeded in ("share/doc", "share/man", "share/locale"):
            shutil.rmtree(folder / "usr" / unneeded)
        for unneeded in ("cache/apt", "lib/apt/lists"):
            shutil.rmtree(folder / "var" / unneeded)
        made = output("buildah", "from", "scratch")
        output("buildah", "add", made, str(folder), "/")
        output("buildah", "commit", "--rm", made, MADE_BASE)
    return MADE_BASE


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    place = tmp_path_factory.mktemp("image")
    copy_checkout(place / "context")
    model_file.save(model_of_two_words(), place / "context" / files.MODEL)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    output(*wheel, cwd=place / "context")
    volumes = [f"--volume={path}:{path}:ro" for path in OF_MACHINE]
    build = ["buildah", "build", "--isolation=chroot", f"--build-arg=BASE={base(place / 'base')}", f"--tag={IMAGE}"]
    output(*build, *volumes, ".", cwd=place / "context")
    container = output("buildah", "from", IMAGE)
    config = json.loads(output("buildah", "inspect", "--type=image", IMAGE))["OCIv1"]["config"]
    yield Image(output("buildah", "mount", container), config)
    output("buildah", "rm", container)
    output("buildah", "rmi", IMAGE)


def test_it_is_small_and_its_user_may_write_to_tmp_alone(image):
    size = int(output("du", "--summarize", "--bytes", image.root).split()[0])
    print(f"{size / 1e6:.0f} MB")
    assert size < 500e6
    assert image.run("id", "-u") == image.config["User"] == "10001"
    assert image.run("sh", "-c", "touch /tmp/a && ! touch /opt/imdb-rnn/a 2>&1") == (
        "touch: cannot touch '/opt/imdb-rnn/a': Read-only file system"
    )


def seconds_of_predict(image) -> float:
    begun = time.perf_counter()
    said = image.run(*image.config["Entrypoint"], "predict", "--model", "/model/model.safetensors", "A wonderful film.")
    assert said == "0.947  positive  A wonderful film."
    return time.perf_counter() - begun


def seconds_to_first_answer(image) -> float:
    begun, port = time.perf_counter(), 8765
    command = [*image.config["Entrypoint"], *image.config["Cmd"], "--host", "127.0.0.1", "--port", str(port)]
    service = subprocess.Popen(image.command(*command))
    body = json.dumps({"text": "A wonderful film."}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, {"Content-Type": "application/json"})
    try:
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    said = json.load(answer)
                break
            except OSError:
                assert service.poll() is None
                time.sleep(0.01)
        seconds = time.perf_counter() - begun
        assert (said["label"], said["probability"]) == ("positive", 0.947348)
    finally:
        service.terminate()
    assert service.wait(60) == 0
    return seconds


def test_the_service_answers_soon_and_ends_when_told(image):
    predict = min(seconds_of_predict(image) for _ in range(3))
    first = min(seconds_to_first_answer(image) for _ in range(3))
    print(f"predict: {predict:.2f} s, first answer of serve: {first:.2f} s")
    assert first < 3 * predict
