"""What pyproject.toml cannot say: the wheel has some files of the top folder, as if they were a package in `stages`."""

from setuptools import find_packages, setup

packages = find_packages(include=["imdb_rnn*", "stages*"])
setup(packages=[*packages, "stages.project"], package_dir={"stages.project": "."})
