//! What disks and other block devices do, and which they are.

use crate::unit::{Bytes, Count, Info, Seconds};
use crate::{Batch, families};

families! {
    /// Reads that the device has completed.
    READS_COMPLETED: counter<Count> = "host_disk_reads_completed_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Writes that the device has completed.
    WRITES_COMPLETED: counter<Count> = "host_disk_writes_completed_total" { device }
        on [Linux, Macos] since "0.1.0";

    /// Bytes read from the device.
    READ: counter<Bytes> = "host_disk_read_bytes_total" { device } on [Linux, Macos] since "0.1.0";

    /// Bytes written to the device.
    WRITTEN: counter<Bytes> = "host_disk_written_bytes_total" { device } on [Linux, Macos] since "0.1.0";

    /// Seconds that all reads together took, from request to completion: divided by the reads, their latency.
    /// Linux keeps 32 bits of milliseconds, so it wraps to 0 at 49.7 days.
    READ_SECONDS: counter<Seconds> = "host_disk_read_seconds_total" { device } on [Linux, Macos] since "0.1.0";

    /// Seconds that all writes together took, from request to completion: divided by the writes, their latency.
    /// Linux keeps 32 bits of milliseconds, so it wraps to 0 at 49.7 days.
    WRITE_SECONDS: counter<Seconds> = "host_disk_write_seconds_total" { device } on [Linux, Macos] since "0.1.0";

    /// Reads that were merged with adjacent ones before they were given to the device.
    READS_MERGED: counter<Count> = "host_disk_reads_merged_total" { device } on [Linux] since "0.1.0";

    /// Writes that were merged with adjacent ones before they were given to the device.
    WRITES_MERGED: counter<Count> = "host_disk_writes_merged_total" { device } on [Linux] since "0.1.0";

    /// Requests that the device has and has not completed.
    IO_IN_FLIGHT: gauge<Count> = "host_disk_io_in_flight" { device } on [Linux] since "0.1.0";

    /// Seconds in which the device had at least one request. A device that serves many at once can be busy all the
    /// time and still have room. Linux keeps 32 bits of milliseconds, so it wraps to 0 at 49.7 days.
    IO_SECONDS: counter<Seconds> = "host_disk_io_seconds_total" { device } on [Linux] since "0.1.0";

    /// Seconds that requests have spent in the device's queue, all together: its rate is the average queue length.
    /// Linux keeps 32 bits of milliseconds, so it wraps to 0 at 49.7 days: every 72 minutes with 1000 requests there.
    IO_WEIGHTED_SECONDS: counter<Seconds> = "host_disk_io_weighted_seconds_total" { device }
        on [Linux] since "0.1.0";

    /// Discards (trims) that the device has completed. Linux 4.18 and later.
    DISCARDS_COMPLETED: counter<Count> = "host_disk_discards_completed_total" { device } on [Linux] since "0.1.0";

    /// Discards that were merged with adjacent ones. Linux 4.18 and later.
    DISCARDS_MERGED: counter<Count> = "host_disk_discards_merged_total" { device } on [Linux] since "0.1.0";

    /// Bytes discarded on the device. Linux 4.18 and later.
    DISCARDED: counter<Bytes> = "host_disk_discarded_bytes_total" { device } on [Linux] since "0.1.0";

    /// Seconds that all discards together took. Linux 4.18 and later.
    /// Linux keeps 32 bits of milliseconds, so it wraps to 0 at 49.7 days.
    DISCARD_SECONDS: counter<Seconds> = "host_disk_discard_seconds_total" { device } on [Linux] since "0.1.0";

    /// Flushes that the device has completed. Linux 5.5 and later.
    FLUSHES_COMPLETED: counter<Count> = "host_disk_flushes_completed_total" { device } on [Linux] since "0.1.0";

    /// Seconds that all flushes together took. Linux 5.5 and later.
    /// Linux keeps 32 bits of milliseconds, so it wraps to 0 at 49.7 days.
    FLUSH_SECONDS: counter<Seconds> = "host_disk_flush_seconds_total" { device } on [Linux] since "0.1.0";

    /// Reads that failed. Linux does not count them for all devices.
    READ_ERRORS: counter<Count> = "host_disk_read_errors_total" { device } on [Macos] since "0.1.0";

    /// Writes that failed. Linux does not count them for all devices.
    WRITE_ERRORS: counter<Count> = "host_disk_write_errors_total" { device } on [Macos] since "0.1.0";

    /// Reads that had to be tried again: a disk that begins to fail.
    READ_RETRIES: counter<Count> = "host_disk_read_retries_total" { device } on [Macos] since "0.1.0";

    /// Writes that had to be tried again: a disk that begins to fail.
    WRITE_RETRIES: counter<Count> = "host_disk_write_retries_total" { device } on [Macos] since "0.1.0";

    /// Which device it is: its model, serial number and worldwide name, and whether it turns (1) or not (0).
    INFO: info<Info> = "host_disk_info" { device, model, serial, wwn, rotational }
        on [Linux, Macos] since "0.1.0";

    /// The name under /dev/mapper of a device of the device mapper (LVM, dm-crypt, multipath).
    MAPPER_INFO: info<Info> = "host_disk_mapper_info" { device, name } on [Linux] since "0.1.0";
}

/// What every system counts of a disk; None where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Reads completed.
    pub reads: Option<Count>,
    /// Writes completed.
    pub writes: Option<Count>,
    /// Bytes read.
    pub read: Option<Bytes>,
    /// Bytes written.
    pub written: Option<Bytes>,
    /// Time of all reads.
    pub read_time: Option<Seconds>,
    /// Time of all writes.
    pub write_time: Option<Seconds>,
}

/// What Linux alone counts of its requests; None where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Requests {
    /// Reads merged.
    pub reads_merged: Option<Count>,
    /// Writes merged.
    pub writes_merged: Option<Count>,
    /// Requests under way.
    pub in_flight: Option<Count>,
    /// Time with requests.
    pub io_time: Option<Seconds>,
    /// Time of all requests in the queue.
    pub weighted_time: Option<Seconds>,
    /// Discards completed.
    pub discards: Option<Count>,
    /// Discards merged.
    pub discards_merged: Option<Count>,
    /// Bytes discarded.
    pub discarded: Option<Bytes>,
    /// Time of all discards.
    pub discard_time: Option<Seconds>,
    /// Flushes completed.
    pub flushes: Option<Count>,
    /// Time of all flushes.
    pub flush_time: Option<Seconds>,
}

/// What macOS alone counts of its failures; None where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Reads that failed.
    pub read_errors: Option<Count>,
    /// Writes that failed.
    pub write_errors: Option<Count>,
    /// Reads tried again.
    pub read_retries: Option<Count>,
    /// Writes tried again.
    pub write_retries: Option<Count>,
}

/// Which device it is; an empty text is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Description<'a> {
    /// The model, as the device tells it.
    pub model: &'a str,
    /// The serial number.
    pub serial: &'a str,
    /// The worldwide name: `0x5000c500a1b2c3d4`, `eui.0025385b71b1f2a0`.
    pub wwn: &'a str,
    /// True if it turns; None where the system does not tell.
    pub rotational: Option<bool>,
}

impl Traffic {
    /// The only writer of what every system counts.
    pub fn put(self, device: &str, out: &mut Batch) {
        let counts = [(&READS_COMPLETED, self.reads), (&WRITES_COMPLETED, self.writes)];
        let bytes = [(&READ, self.read), (&WRITTEN, self.written)];
        let times = [(&READ_SECONDS, self.read_time), (&WRITE_SECONDS, self.write_time)];
        put_each(device, counts, out);
        put_each(device, bytes, out);
        put_each(device, times, out);
    }
}

impl Requests {
    /// The only writer of what Linux alone counts.
    pub fn put(self, device: &str, out: &mut Batch) {
        let counts = [
            (&READS_MERGED, self.reads_merged),
            (&WRITES_MERGED, self.writes_merged),
            (&IO_IN_FLIGHT, self.in_flight),
            (&DISCARDS_COMPLETED, self.discards),
            (&DISCARDS_MERGED, self.discards_merged),
            (&FLUSHES_COMPLETED, self.flushes),
        ];
        let times = [
            (&IO_SECONDS, self.io_time),
            (&IO_WEIGHTED_SECONDS, self.weighted_time),
            (&DISCARD_SECONDS, self.discard_time),
            (&FLUSH_SECONDS, self.flush_time),
        ];
        put_each(device, counts, out);
        put_each(device, times, out);
        put_each(device, [(&DISCARDED, self.discarded)], out);
    }
}

impl Faults {
    /// The only writer of what macOS alone counts.
    pub fn put(self, device: &str, out: &mut Batch) {
        let counts = [
            (&READ_ERRORS, self.read_errors),
            (&WRITE_ERRORS, self.write_errors),
            (&READ_RETRIES, self.read_retries),
            (&WRITE_RETRIES, self.write_retries),
        ];
        put_each(device, counts, out);
    }
}

impl Description<'_> {
    /// The only writer of [`INFO`]; nothing where nothing is known.
    pub fn put(self, device: &str, out: &mut Batch) {
        if self == Description::default() {
            return;
        }
        let rotational = match self.rotational {
            None => "",
            Some(false) => "0",
            Some(true) => "1",
        };
        out.put(&INFO, [device, self.model, self.serial, self.wwn, rotational], Info);
    }
}

/// The only writer of [`MAPPER_INFO`].
pub fn put_mapper(device: &str, name: &str, out: &mut Batch) {
    out.put(&MAPPER_INFO, [device, name], Info);
}

fn put_each<Q: crate::unit::Quantity, const N: usize>(
    device: &str,
    values: [(&crate::Family<Q, 1>, Option<Q>); N],
    out: &mut Batch,
) {
    for (family, value) in values {
        if let Some(value) = value {
            out.put(family, [device], value);
        }
    }
}
