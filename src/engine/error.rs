use core::fmt;
use core::net::SocketAddr;
use std::io;

/// Why the engine does not run, or runs no longer.
#[derive(Debug)]
pub enum EngineError {
    /// Not one of the service addresses could be opened; the first failure.
    NoService(BindFailure),
    /// Waiting for sockets failed.
    Wait(io::Error),
    /// A server thread could not be started.
    Thread(io::Error),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoService(failure) => failure.fmt(f),
            Self::Wait(error) => write!(f, "cannot wait for sockets: {error}"),
            Self::Thread(error) => write!(f, "cannot start a server thread: {error}"),
        }
    }
}

impl core::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NoService(failure) => Some(&failure.error),
            Self::Wait(error) | Self::Thread(error) => Some(error),
        }
    }
}

/// An address that could not be opened for service.
#[derive(Debug)]
pub struct BindFailure {
    /// Which.
    pub address: SocketAddr,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for BindFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ip, port) = (self.address.ip(), self.address.port());
        write!(f, "cannot serve on {ip} port {port}: {}", self.error)?;
        match self.error.kind() {
            io::ErrorKind::AddrInUse => f.write_str(
                "; another program has it: is another NTP daemon running? \
                 `ss -lunp` shows which",
            ),
            io::ErrorKind::PermissionDenied => {
                f.write_str("; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE")
            }
            io::ErrorKind::AddrNotAvailable => {
                f.write_str("; this host does not have the address, or not yet")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_all_there_is_to_know() {
        let failure = BindFailure {
            address: "192.0.2.1:123".parse().unwrap(),
            error: io::Error::from(io::ErrorKind::AddrInUse),
        };
        let text = EngineError::NoService(failure).to_string();
        for part in ["192.0.2.1", "port 123", "is another NTP daemon running?"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
