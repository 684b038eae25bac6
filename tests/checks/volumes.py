"""Storms of block devices and of mounts (storms.py)."""

import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
import time

from storms import History, Refused, Storm

LIBC = ctypes.CDLL(None, use_errno=True)


def call(result):
    """The result of a libc call, or its errno as an OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


class Blocks(Storm):
    """Loop devices made, attached, read, detached and removed: the next one of that name begins at 0. Every other one
    is read a hundred times as much, so that what is left of the one before shows, whatever udev reads besides.

    losetup -d keeps the device and its counters; removing it is what unplugging a disk is."""

    ADD, REMOVE, SET, CLEAR = 0x4C80, 0x4C81, 0x4C00, 0x4C01
    NUMBERS = [200, 201, 202]
    LITTLE, MUCH = 64 << 10, 8 << 20

    def __init__(self):
        super().__init__()
        self.file = tempfile.TemporaryFile()
        self.file.truncate(16 << 20)
        self.history, self.generation = History(), 0
        try:
            self.control = os.open("/dev/loop-control", os.O_RDWR)
            for number in self.NUMBERS:
                if os.path.exists(f"/sys/block/loop{number}"):
                    raise Refused(f"loop{number} is somebody's")
            self.one(self.NUMBERS[0])
        except OSError as error:
            self.clear()
            raise Refused(f"no loop devices: {error}") from None

    def one(self, number):
        name, path = f"loop{number}", f"/dev/loop{number}"
        self.generation += 1
        read = self.MUCH if self.generation % 2 else self.LITTLE
        owner = {"generation": self.generation, "most": read + (2 << 20)}
        self.history.begin(name, owner)
        fcntl.ioctl(self.control, self.ADD, number)
        for _ in range(100):  # devtmpfs, or udev
            if os.path.exists(path):
                break
            time.sleep(0.01)
        device = os.open(path, os.O_RDONLY)
        try:
            fcntl.ioctl(device, self.SET, self.file.fileno())
            # Read-ahead would make what is read anybody's guess.
            os.posix_fadvise(device, 0, 0, os.POSIX_FADV_RANDOM)
            left = read
            while left > 0:
                left -= len(os.read(device, 64 << 10))
            time.sleep(0.05)
            fcntl.ioctl(device, self.CLEAR, 0)
        finally:
            os.close(device)
        self.remove(number)
        self.history.end(name)

    def remove(self, number):
        for _ in range(200):
            try:
                fcntl.ioctl(self.control, self.REMOVE, number)
                return
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                time.sleep(0.01)

    def once(self):
        for number in self.NUMBERS:
            self.one(number)

    def clear(self):
        for number in self.NUMBERS:
            try:
                device = os.open(f"/dev/loop{number}", os.O_RDONLY)
                fcntl.ioctl(device, self.CLEAR, 0)
                os.close(device)
            except OSError:
                pass
            try:
                fcntl.ioctl(self.control, self.REMOVE, number)
            except OSError:
                pass
        os.close(self.control)
        self.file.close()

    def told(self):
        return f"{self.generation} loop devices made"

    def is_own(self, labels):
        return labels.get("device") in {f"loop{number}" for number in self.NUMBERS}

    def judge(self, since, until, samples):
        seen, wrong = 0, []
        for number in self.NUMBERS:
            name = f"loop{number}"
            bytes_read = samples.value("host_disk_read_bytes_total", device=name)
            owners = self.history.owners(name, since, until)
            if bytes_read is None:
                continue
            seen += 1
            if bytes_read > max((owner["most"] for owner in owners), default=-1):
                wrong.append((name, bytes_read, owners))
        return seen, wrong


class Mounts(Storm):
    """tmpfs of sizes of their own, mounted and unmounted at the same few places. What is below them is the disk, of
    another size: it must never be shown as theirs, also where a mount goes between the reading of the table and the
    asking of its path."""

    PLACES = 4

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="events-")
        self.places = [os.path.join(self.folder, str(number)) for number in range(self.PLACES)]
        self.history, self.generation = History(), 0
        for place in self.places:
            os.mkdir(place)
        room = os.statvfs(self.folder)
        self.below = room.f_blocks * room.f_frsize
        try:
            self.mount(self.places[0])
            self.unmount(self.places[0])
        except OSError as error:
            self.clear()
            raise Refused(f"no mounts: {error}") from None

    def mount(self, place):
        self.generation += 1
        size = (16 + self.generation % 997) << 20
        self.history.begin(place, size)
        call(LIBC.mount(b"storm", place.encode(), b"tmpfs", 0, f"size={size}".encode()))

    def unmount(self, place):
        call(LIBC.umount2(place.encode(), 2))  # MNT_DETACH: somebody may look at it
        self.history.end(place)

    def once(self):
        for place in self.places:
            self.mount(place)
        time.sleep(self.rounds % 5 * 0.004)
        for place in self.places:
            self.unmount(place)

    def clear(self):
        for place in self.places:
            LIBC.umount2(place.encode(), 2)
        shutil.rmtree(self.folder, ignore_errors=True)

    def told(self):
        return f"{self.generation} mounts"

    def is_own(self, labels):
        return labels.get("mountpoint") in self.places

    def judge(self, since, until, samples):
        seen, wrong = 0, []
        for labels, size in samples.family("host_filesystem_size_bytes").items():
            place = dict(labels)["mountpoint"]
            if place not in self.places:
                continue
            seen += 1
            if size not in self.history.owners(place, since, until):
                wrong.append((dict(labels), size, self.history.owners(place, since, until)))
        return seen, wrong
