//! The Internet Protocol and its messages of control, by version (label ip: 4 or 6).

use crate::families;
use crate::unit::{Bytes, Count, State};

families! {
    /// Bytes of packets received, headers of IP included.
    RECEIVE: counter<Bytes> = "host_ip_receive_bytes_total" { ip } on [Linux] since "0.1.0";

    /// Bytes of packets sent, headers of IP included.
    TRANSMIT: counter<Bytes> = "host_ip_transmit_bytes_total" { ip } on [Linux] since "0.1.0";

    /// 1 if the host passes packets of others on (net.ipv4.ip_forward), as routers and container hosts must.
    FORWARDING: gauge<State> = "host_ip_forwarding" { ip } on [Linux] since "0.1.0";

    /// Control messages (ICMP) received, faulty ones included.
    ICMP_RECEIVE_MESSAGES: counter<Count> = "host_icmp_receive_messages_total" { ip } on [Linux] since "0.1.0";

    /// Control messages (ICMP) sent.
    ICMP_TRANSMIT_MESSAGES: counter<Count> = "host_icmp_transmit_messages_total" { ip } on [Linux] since "0.1.0";

    /// Control messages (ICMP) received that were faulty.
    ICMP_RECEIVE_ERRORS: counter<Count> = "host_icmp_receive_errors_total" { ip } on [Linux] since "0.1.0";
}
