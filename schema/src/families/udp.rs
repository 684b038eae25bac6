//! Datagrams, by version of the Internet Protocol (label ip: 4 or 6).

use crate::families;
use crate::unit::Count;

families! {
    /// Datagrams received and given to a program.
    RECEIVE_DATAGRAMS: counter<Count> = "host_udp_receive_datagrams_total" { ip } on [Linux] since "0.1.0";

    /// Datagrams sent.
    TRANSMIT_DATAGRAMS: counter<Count> = "host_udp_transmit_datagrams_total" { ip } on [Linux] since "0.1.0";

    /// Datagrams received for a port on which nobody listens.
    NO_PORT: counter<Count> = "host_udp_no_port_total" { ip } on [Linux] since "0.1.0";

    /// Datagrams received and lost for any other reason, full receive buffers included.
    RECEIVE_ERRORS: counter<Count> = "host_udp_receive_errors_total" { ip } on [Linux] since "0.1.0";

    /// Datagrams lost because the socket's receive buffer was full: a program that does not keep up.
    RECEIVE_BUFFER_ERRORS: counter<Count> = "host_udp_receive_buffer_errors_total" { ip }
        on [Linux] since "0.1.0";

    /// Datagrams not sent because the socket's send buffer was full or there was no memory.
    TRANSMIT_BUFFER_ERRORS: counter<Count> = "host_udp_transmit_buffer_errors_total" { ip }
        on [Linux] since "0.1.0";
}
