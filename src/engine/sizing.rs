//! How many threads and sockets there may be: descriptors are shared out before they run out.

/// More server threads than this for each core only take turns.
const THREADS_A_CORE: usize = 4;
/// And more than this anywhere are a slip of the pen.
const THREADS_MAX: usize = 256;
/// Descriptors for everything that is not a socket of ours: logs, files, the resolver's sockets;
/// but not more than half of them all.
const RESERVE: usize = 64;
/// Addresses a host should be able to serve before it has more than one thread.
const ADDRESSES: usize = 8;

/// How the descriptors are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Server threads, each with a socket for every service address.
    pub(crate) threads: usize,
    /// Service sockets.
    pub(crate) service: usize,
    /// Client sockets.
    pub(crate) clients: usize,
}

/// Clients come first, up to half of what there is: a server that cannot ask has no time to give.
pub(crate) fn sizes(threads: usize, clients: usize, cores: usize, descriptors: usize) -> Sizes {
    let ours = (descriptors - RESERVE.min(descriptors / 2)).max(2);
    let clients = clients.min(ours / 2);
    let service = ours - clients;
    let most = cores.max(1).saturating_mul(THREADS_A_CORE).min(THREADS_MAX);
    Sizes {
        threads: threads.min(most).min((service / ADDRESSES).max(1)),
        service,
        clients,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_bounded_by_cores_and_descriptors() {
        let plenty = 1 << 20;
        assert_eq!(sizes(0, 256, 8, plenty).threads, 0);
        assert_eq!(sizes(8, 256, 8, plenty).threads, 8);
        assert_eq!(sizes(5000, 256, 8, plenty).threads, 32);
        assert_eq!(sizes(usize::MAX, 256, 1000, plenty).threads, 256);
        assert_eq!(sizes(4, 256, 0, plenty).threads, 4);
        assert_eq!(sizes(100, 256, 100, 164).threads, 6);
        assert_eq!(sizes(4, 256, 4, 16).threads, 1);
        assert_eq!(sizes(0, 256, 4, 16).threads, 0);
    }

    #[test]
    fn clients_and_service_leave_each_other_room() {
        let sizes = |descriptors| {
            let sizes = sizes(1, 256, 8, descriptors);
            (sizes.service, sizes.clients)
        };
        assert_eq!(sizes(1024), (704, 256));
        assert_eq!(sizes(264), (100, 100));
        assert_eq!(sizes(16), (4, 4));
        assert_eq!(sizes(3), (1, 1));
    }
}
