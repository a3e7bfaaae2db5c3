import shutil


def test_x(finished):
    shutil.copytree(finished.folder, "/tmp/remotes/finished")
