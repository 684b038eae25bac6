//! The table in which a stateful firewall remembers connections. The kernel counts in 32 bits for each CPU, and
//! how often they wrapped before gauged started is not known: counters are shown since then.

use crate::unit::Count;
use crate::{Batch, families};

families! {
    /// Connections that the firewall remembers now.
    ENTRIES: gauge<Count> = "host_conntrack_entries" {} on [Linux] since "0.1.0";

    /// How many connections the firewall can remember; beyond them packets are dropped.
    ENTRIES_LIMIT: gauge<Count> = "host_conntrack_entries_limit" {} on [Linux] since "0.1.0";

    /// Searches that found an entry, since gauged started.
    FOUND: counter<Count> = "host_conntrack_found_total" {} on [Linux] since "0.1.0";

    /// Packets that could not be tracked, since gauged started.
    INVALID: counter<Count> = "host_conntrack_invalid_total" {} on [Linux] since "0.1.0";

    /// Entries inserted, since gauged started.
    INSERTED: counter<Count> = "host_conntrack_inserted_total" {} on [Linux] since "0.1.0";

    /// Entries that could not be inserted since gauged started, mostly because the same one was there
    /// already.
    INSERT_FAILED: counter<Count> = "host_conntrack_insert_failed_total" {} on [Linux] since "0.1.0";

    /// Packets dropped because their connection could not be remembered, since gauged started.
    DROP: counter<Count> = "host_conntrack_drop_total" {} on [Linux] since "0.1.0";

    /// Entries dropped to make room for new ones since gauged started, because the table was full.
    EARLY_DROP: counter<Count> = "host_conntrack_early_drop_total" {} on [Linux] since "0.1.0";

    /// Packets of which tracking failed since gauged started, such as ICMP errors that belong to nothing.
    ERROR: counter<Count> = "host_conntrack_error_total" {} on [Linux] since "0.1.0";

    /// Searches begun again since gauged started, because the table was resized meanwhile.
    SEARCH_RESTART: counter<Count> = "host_conntrack_search_restart_total" {} on [Linux] since "0.1.0";

    /// Insertions that clashed with an entry and were resolved, since gauged started. Absent before Linux
    /// 5.10.
    CLASH_RESOLVED: counter<Count> = "host_conntrack_clash_resolved_total" {} on [Linux] since "0.1.0";

    /// Entries not inserted since gauged started because their chain of the table was too long. Absent
    /// before Linux 5.15.
    CHAIN_TOO_LONG: counter<Count> = "host_conntrack_chain_too_long_total" {} on [Linux] since "0.1.0";
}

/// How full the table is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    /// Connections remembered.
    pub entries: Option<Count>,
    /// The most of them; None where there is no limit.
    pub limit: Option<Count>,
}

impl Room {
    /// The only writer of its families.
    pub fn put(self, out: &mut Batch) {
        for (family, count) in [(&ENTRIES, self.entries), (&ENTRIES_LIMIT, self.limit)] {
            if let Some(count) = count {
                out.put(family, [], count);
            }
        }
    }
}
