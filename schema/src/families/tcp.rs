//! Connections: what operators alert on. IPv4 and IPv6 are counted together, as kernels do.

use crate::families;
use crate::unit::Count;

families! {
    /// Connections now: established, or closed by the other side only.
    CONNECTIONS: gauge<Count> = "host_tcp_connections" {} on [Linux] since "0.1.0";

    /// Connections that this host began.
    ACTIVE_OPENS: counter<Count> = "host_tcp_active_opens_total" {} on [Linux] since "0.1.0";

    /// Connections that others began.
    PASSIVE_OPENS: counter<Count> = "host_tcp_passive_opens_total" {} on [Linux] since "0.1.0";

    /// Connections that failed before they were established.
    FAILED_ATTEMPTS: counter<Count> = "host_tcp_failed_attempts_total" {} on [Linux] since "0.1.0";

    /// Established connections that were reset.
    ESTABLISHED_RESETS: counter<Count> = "host_tcp_established_resets_total" {} on [Linux] since "0.1.0";

    /// Segments received, faulty ones included.
    RECEIVE_SEGMENTS: counter<Count> = "host_tcp_receive_segments_total" {} on [Linux] since "0.1.0";

    /// Segments sent, without those that were only sent again.
    TRANSMIT_SEGMENTS: counter<Count> = "host_tcp_transmit_segments_total" {} on [Linux] since "0.1.0";

    /// Segments sent again.
    RETRANSMITTED_SEGMENTS: counter<Count> = "host_tcp_retransmitted_segments_total" {} on [Linux] since "0.1.0";

    /// Segments received that were faulty, wrong checksums included.
    RECEIVE_ERRORS: counter<Count> = "host_tcp_receive_errors_total" {} on [Linux] since "0.1.0";

    /// Segments received with a wrong checksum.
    CHECKSUM_ERRORS: counter<Count> = "host_tcp_checksum_errors_total" {} on [Linux] since "0.1.0";

    /// Resets sent.
    TRANSMIT_RESETS: counter<Count> = "host_tcp_transmit_resets_total" {} on [Linux] since "0.1.0";

    /// Connections refused because a program did not accept those before them: its queue was full.
    LISTEN_OVERFLOWS: counter<Count> = "host_tcp_listen_overflows_total" {} on [Linux] since "0.1.0";

    /// Connections that a listening socket dropped for any reason, overflows included.
    LISTEN_DROPS: counter<Count> = "host_tcp_listen_drops_total" {} on [Linux] since "0.1.0";

    /// Requests for a connection dropped because the queue of requests was full and no cookie was to be sent.
    REQUEST_QUEUE_DROPS: counter<Count> = "host_tcp_request_queue_drops_total" {} on [Linux] since "0.1.0";

    /// Requests for a connection, or their answers, sent again.
    SYN_RETRANSMITS: counter<Count> = "host_tcp_syn_retransmits_total" {} on [Linux] since "0.1.0";

    /// How often the timer of an unacknowledged segment ran out.
    TIMEOUTS: counter<Count> = "host_tcp_timeouts_total" {} on [Linux] since "0.1.0";

    /// Segments dropped because a socket's receive queue was full. Absent before Linux 4.20.
    RECEIVE_QUEUE_DROPS: counter<Count> = "host_tcp_receive_queue_drops_total" {} on [Linux] since "0.1.0";

    /// Segments dropped because a busy socket's backlog was full.
    BACKLOG_DROPS: counter<Count> = "host_tcp_backlog_drops_total" {} on [Linux] since "0.1.0";

    /// Segments that came out of order and were queued.
    OUT_OF_ORDER: counter<Count> = "host_tcp_out_of_order_total" {} on [Linux] since "0.1.0";

    /// Cookies sent in place of remembering a request: a flood of requests, or a queue that is too short.
    SYNCOOKIES_SENT: counter<Count> = "host_tcp_syncookies_sent_total" {} on [Linux] since "0.1.0";

    /// Cookies that came back.
    SYNCOOKIES_RECEIVED: counter<Count> = "host_tcp_syncookies_received_total" {} on [Linux] since "0.1.0";

    /// Cookies that came back and were not ours, or too old.
    SYNCOOKIES_FAILED: counter<Count> = "host_tcp_syncookies_failed_total" {} on [Linux] since "0.1.0";

    /// How often TCP as a whole came under memory pressure (net.ipv4.tcp_mem).
    MEMORY_PRESSURES: counter<Count> = "host_tcp_memory_pressures_total" {} on [Linux] since "0.1.0";

    /// Connections given up for want of memory.
    MEMORY_ABORTS: counter<Count> = "host_tcp_memory_aborts_total" {} on [Linux] since "0.1.0";

    /// Closed connections that were not kept in time_wait because there were too many
    /// (net.ipv4.tcp_max_tw_buckets).
    TIME_WAIT_OVERFLOWS: counter<Count> = "host_tcp_time_wait_overflows_total" {} on [Linux] since "0.1.0";
}
