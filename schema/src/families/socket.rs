//! Sockets, and the memory that they hold. Label ip is 4 or 6 where the kernel counts the two apart.

use crate::unit::{Bytes, Count};
use crate::{Batch, families};

families! {
    /// Sockets of every kind in use.
    SOCKETS: gauge<Count> = "host_sockets" {} on [Linux] since "0.1.0";

    /// TCP sockets by state: in_use (bound or connected), time_wait, orphan (no program has it any more) and
    /// allocated. The states overlap, so their sum means nothing. Orphan and allocated count all network
    /// namespaces together.
    TCP_SOCKETS: gauge<Count> = "host_tcp_sockets" { state, ip } on [Linux] since "0.1.0";

    /// Memory that TCP sockets hold, in all network namespaces together.
    TCP_MEMORY: gauge<Bytes> = "host_tcp_socket_memory_bytes" {} on [Linux] since "0.1.0";

    /// The most memory that TCP sockets may hold (net.ipv4.tcp_mem).
    TCP_MEMORY_LIMIT: gauge<Bytes> = "host_tcp_socket_memory_limit_bytes" {} on [Linux] since "0.1.0";

    /// UDP sockets in use.
    UDP_SOCKETS: gauge<Count> = "host_udp_sockets" { ip } on [Linux] since "0.1.0";

    /// Memory that UDP sockets hold, in all network namespaces together.
    UDP_MEMORY: gauge<Bytes> = "host_udp_socket_memory_bytes" {} on [Linux] since "0.1.0";
}

/// Sockets; None for what a kernel does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sockets {
    /// Of every kind.
    pub used: Option<Count>,
    /// TCP over IPv4 in use.
    pub tcp_in_use: Option<Count>,
    /// TCP over IPv6 in use.
    pub tcp6_in_use: Option<Count>,
    /// TCP without a program.
    pub tcp_orphan: Option<Count>,
    /// TCP that waits for the last stray packets.
    pub tcp_time_wait: Option<Count>,
    /// TCP allocated.
    pub tcp_allocated: Option<Count>,
    /// What TCP holds.
    pub tcp_memory: Option<Bytes>,
    /// What TCP may hold.
    pub tcp_memory_limit: Option<Bytes>,
    /// UDP over IPv4 in use.
    pub udp_in_use: Option<Count>,
    /// UDP over IPv6 in use.
    pub udp6_in_use: Option<Count>,
    /// What UDP holds.
    pub udp_memory: Option<Bytes>,
}

impl Sockets {
    /// The only writer of this module's families.
    pub fn put(self, out: &mut Batch) {
        if let Some(used) = self.used {
            out.put(&SOCKETS, [], used);
        }
        let tcp = [
            ("in_use", "4", self.tcp_in_use),
            ("in_use", "6", self.tcp6_in_use),
            ("orphan", "", self.tcp_orphan),
            ("time_wait", "", self.tcp_time_wait),
            ("allocated", "", self.tcp_allocated),
        ];
        for (state, ip, count) in tcp {
            if let Some(count) = count {
                out.put(&TCP_SOCKETS, [state, ip], count);
            }
        }
        for (ip, count) in [("4", self.udp_in_use), ("6", self.udp6_in_use)] {
            if let Some(count) = count {
                out.put(&UDP_SOCKETS, [ip], count);
            }
        }
        let sizes = [
            (&TCP_MEMORY, self.tcp_memory),
            (&TCP_MEMORY_LIMIT, self.tcp_memory_limit),
            (&UDP_MEMORY, self.udp_memory),
        ];
        for (family, size) in sizes {
            if let Some(size) = size {
                out.put(family, [], size);
            }
        }
    }
}
