//! The packet and peer tests (RFC 5905 §9.2, §11.2) in words.

/// What a failed test means, and what helps.
pub(super) fn test(name: &str) -> (&'static str, &'static str) {
    match name {
        "pkt_dup" => (
            "the last packet was a copy of the one before",
            "copies come from broken networks or from replays; one now and then is nothing",
        ),
        "pkt_bogus" => (
            "the last packet does not answer our request",
            "somebody forges packets, or a middlebox answers too late; if it stays, look with \
             tcpdump who sends them",
        ),
        "pkt_unsync" => (
            "the server has sent no times yet, or says it never had any",
            "wait a few polls; if it stays, the server itself is not synchronised",
        ),
        "pkt_denied" => (
            "access is denied",
            "ask the server's operator, and look at our own restrict lines: \
             `truechimer explain restrict ADDRESS`",
        ),
        "pkt_auth" => (
            "the packet is not authentic: its key is missing, differs, or is not trusted",
            "compare the key's number, type and secret in both keys files, and see that both \
             sides name it in trustedkey",
        ),
        "pkt_stratum" => (
            "the server is not synchronised, or its stratum is too high",
            "synchronise the server first, or choose another",
        ),
        "pkt_header" => (
            "root delay or root dispersion in the packet are beyond reason",
            "the server's own way to its source is bad; choose another",
        ),
        "pkt_autokey" => (
            "Autokey: the packet is out of sequence",
            "it restarts by itself; if it stays, compare the clocks and the hosts' names",
        ),
        "pkt_crypto" => (
            "Autokey: the protocol is in error",
            "look for the reason in cryptostats and in the log of both sides",
        ),
        "peer_stratum" => (
            "the server is not synchronised, or its stratum is not below the limit (tos ceiling)",
            "wait until it is, or choose another",
        ),
        "peer_dist" => (
            "its root distance is above the limit (tos maxdist, 1.5 s)",
            "after a start it falls within a few polls; if it stays, the way to the server or the \
             server's own way is bad",
        ),
        "peer_loop" => (
            "it follows us: our time would come back to us",
            "that is as it should be while we are synchronised; give both sides other sources",
        ),
        "peer_unreach" => (
            "it did not answer the last eight polls",
            "see whether it answers at all: `truechimer query ADDRESS`",
        ),
        _ => ("it failed a test", "look at the daemon's log"),
    }
}
