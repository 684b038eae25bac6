//! Why a kernel is tainted: the bits of `/proc/sys/kernel/tainted`
//! (Documentation/admin-guide/tainted-kernels.rst).

use schema::Batch;
use schema::families::system::put_taint;

/// The reasons, by bit.
const FLAGS: [&str; 20] = [
    "proprietary_module",
    "forced_module",
    "cpu_out_of_specification",
    "forced_module_unload",
    "machine_check",
    "bad_page",
    "user_request",
    "died",
    "overridden_acpi_table",
    "warning",
    "staging_driver",
    "firmware_workaround",
    "out_of_tree_module",
    "unsigned_module",
    "soft_lockup",
    "live_patch",
    "auxiliary",
    "randomized_structs",
    "test",
    "fwctl",
];

/// Puts every reason that applies; bits that have no name here are one reason, other.
pub(super) fn put(flags: u64, out: &mut Batch) {
    let mut rest = flags;
    for (bit, flag) in FLAGS.into_iter().enumerate() {
        if rest & 1 << bit != 0 {
            put_taint(flag, out);
            rest &= !(1 << bit);
        }
    }
    if rest != 0 {
        put_taint("other", out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(number: u64) -> Vec<String> {
        let mut out = Batch::default();
        put(number, &mut out);
        out.rows().map(|row| row.labels().collect()).collect()
    }

    #[test]
    fn each_bit_is_a_reason() {
        assert_eq!(flags(0), [""; 0]);
        assert_eq!(flags(4609), ["proprietary_module", "warning", "out_of_tree_module"]);
        assert_eq!(flags(1 << 14 | 1 << 4), ["machine_check", "soft_lockup"]);
        assert_eq!(flags((1 << 20) - 1).len(), 20);
    }

    #[test]
    fn bits_without_a_name_are_one_other_reason() {
        assert_eq!(flags(1 << 20), ["other"]);
        assert_eq!(flags(u64::MAX).len(), 21);
    }
}
