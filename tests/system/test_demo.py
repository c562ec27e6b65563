"""The demo in a real Airflow: scheduler, triggerer, Dag processor and API server as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CANARY_ID, CANARY_SECRET = "canary-key-id-8c1d", "canary-secret-5e77f0a2b9"
pytestmark = pytest.mark.system


def demo(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from airflow_provider_tuya_ota.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "demo", *arguments]
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=400)
        except BaseException:
            # Killed outright, it could not stop the Airflow that it started.
            process.terminate()
            process.communicate(timeout=60)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


@pytest.fixture(scope="module")
def failed_release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    home = tmp_path_factory.mktemp("failing release")
    key = f"{CANARY_ID}:{CANARY_SECRET}"
    return home, demo("--home", str(home), "--fail", "device-002", "--access-key", key, cwd=home)


def test_a_failing_device_ends_the_demo_with_1_and_its_name_and_reason(
    failed_release: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _, ended = failed_release

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "device-002 FAILED at 60 %: step -4: flash write failed at block 0x3f" in ended.stdout
    assert "verify   deferred" in ended.stdout


def test_the_key_secret_occurs_nowhere_and_the_id_only_in_its_connection(
    failed_release: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, ended = failed_release
    files = [path for path in home.rglob("*") if path.is_file()]
    holders = {
        secret: sorted(path.name for path in files if secret.encode() in path.read_bytes())
        for secret in (CANARY_SECRET, CANARY_ID)
    }

    assert any(path.suffix == ".log" for path in files)
    # Airflow stores the login of a connection in clear, its password encrypted.
    assert holders == {CANARY_SECRET: [], CANARY_ID: ["airflow.db"]}
    assert CANARY_SECRET not in ended.stdout + ended.stderr
    assert CANARY_ID not in ended.stdout + ended.stderr


def test_nothing_that_signs_or_opens_an_object_is_written_down(
    failed_release: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    home, _ = failed_release
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())

    assert b"Signature=" not in written
    assert b"emulator-storage-key" not in written
    assert b"ota/firmware/" not in written


def test_no_process_of_the_demo_is_left(failed_release: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    home, _ = failed_release
    left = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(home).encode() in (entry / "environ").read_bytes():
                left.append((entry / "cmdline").read_bytes())
        except OSError:
            continue

    assert left == []


def test_the_wheel_alone_runs_the_sample_dag(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    where = subprocess.run(
        [sys.executable, "-c", "import airflow_provider_tuya_ota as p; print(p.__file__)"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    ended = demo("--devices", "device-010", cwd=tmp_path, PYTHONPATH=str(site))

    assert where.startswith(str(site))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Every device runs the new version." in ended.stdout


def test_airflow_lists_the_provider(tmp_path: Path) -> None:
    listed = subprocess.run(
        [str(Path(sys.executable).parent / "airflow"), "providers", "list"],
        env=os.environ | {"AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "airflow-provider-tuya-ota" in listed
