"""A virtual machine: a fresh Debian with systemd under QEMU's software emulation, observed through its serial line."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = ("systemd,systemd-sysv,dbus,udev,linux-image-cloud-amd64,iproute2,ca-certificates,curl,procps,kmod,"
            "python3-minimal,libpython3-stdlib,nginx-light,openssl,openssh-client")
TOOLS = ("qemu-system-x86_64", "mmdebstrap", "mke2fs")
CACHE = Path(os.environ.get("CI_CACHE", Path.home() / ".cache/garmin-gateway-ci")) / "vm"

# A unit that runs the script on the second disk after boot, and then powers off.
UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'mkdir -p /mnt && mount -o ro /dev/vdb /mnt && exec sh /mnt/run.sh'
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStopPost=/bin/systemctl poweroff --no-block
[Install]
WantedBy=multi-user.target
"""


def missing() -> list[str]:
    return [tool for tool in TOOLS if not shutil.which(tool)]


def run(*words: str | Path):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)


def prepare():
    """Builds the machine's file system once. That needs the network."""
    if (CACHE / ".complete").exists():
        return
    root = CACHE / "root"
    if not (root / "sbin/init").exists():
        shutil.rmtree(root, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        run("mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", "--format=directory", "bookworm", root)
    (root / "etc/fstab").write_text("")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    units = root / "etc/systemd/system"
    (units / "run.service").write_text(UNIT)
    wanted = units / "multi-user.target.wants/run.service"
    wanted.unlink(missing_ok=True)
    wanted.symlink_to("/etc/systemd/system/run.service")
    # There must be no login prompt on the serial line, and nginx must start only on request.
    for unit in ("serial-getty@ttyS0.service", "systemd-networkd-wait-online.service"):
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
    (units / "multi-user.target.wants/nginx.service").unlink(missing_ok=True)
    for name in ("vmlinuz", "initrd.img"):
        [found] = (root / "boot").glob(f"{name}-*")
        shutil.copy(found, CACHE / name)
    image = CACHE / "root.img"
    image.unlink(missing_ok=True)
    run("truncate", "-s", "3G", image)
    run("mke2fs", "-q", "-t", "ext4", "-d", root, image)
    (CACHE / ".complete").touch()


class Machine:
    """One machine with its own disk, which can be booted repeatedly.

    It can't reach any network. If wanted, `port` of the host leads to its port `inner`.
    """

    def __init__(self, port: int | None = None, inner: int | None = None):
        self.forward = f",hostfwd=tcp:127.0.0.1:{port}-:{inner or port}" if port else ""
        self.place = Path(tempfile.mkdtemp(prefix="vm-"))
        self.disk = self.place / "disk.img"
        run("cp", "--sparse=always", CACHE / "root.img", self.disk)

    def boot(self, files: Path, *words: str) -> subprocess.Popen:
        """Boots it with the directory `files` as a disk, and passes `words` to run.sh. Stdin and stdout of the process
        are its serial line."""
        (files / "words").write_text(" ".join(words))
        payload = self.place / "files.img"
        payload.unlink(missing_ok=True)
        run("truncate", "-s", "400M", payload)
        run("mke2fs", "-q", "-t", "ext4", "-d", files, payload)
        command = [
            "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1500",
            "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio",
            "-kernel", CACHE / "vmlinuz", "-initrd", CACHE / "initrd.img",
            "-append", "root=/dev/vda rw console=ttyS0 quiet loglevel=3 systemd.show_status=0",
            "-drive", f"file={self.disk},format=raw,if=virtio", "-drive", f"file={payload},format=raw,if=virtio",
            "-netdev", f"user,id=n0,restrict=on{self.forward}", "-device", "virtio-net-pci,netdev=n0", "-device", "virtio-rng-pci",
        ]
        return subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors="replace", bufsize=1)

    def close(self):
        shutil.rmtree(self.place, ignore_errors=True)
