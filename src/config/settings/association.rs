//! `server`, `pool`, `peer`, `broadcast`, `manycastclient`.

use std::net::IpAddr;

use crate::diagnostic::Span;

/// Which directive made an association.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssociationKind {
    /// `server`: one association, client mode.
    Server,
    /// `pool`: a name from which associations are spun up as needed.
    Pool,
    /// `peer`: symmetric active.
    Peer,
    /// `broadcast`: time is sent to a net or a group.
    Broadcast,
    /// `manycastclient`: servers are looked for in a group.
    ManycastClient,
}

impl AssociationKind {
    /// The directive.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Pool => "pool",
            Self::Peer => "peer",
            Self::Broadcast => "broadcast",
            Self::ManycastClient => "manycastclient",
        }
    }
}

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An address; nothing is resolved.
    Address(IpAddr),
    /// A name for the resolver, or an IPv6 address with a zone (`fe80::1%eth0`), which the
    /// resolver understands as well.
    Name(String),
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The address family that `-4` or `-6` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `-4`.
    Ipv4,
    /// `-6`.
    Ipv6,
}

/// One line of these.
#[derive(Debug, Clone, PartialEq)]
pub struct Association {
    /// Which directive it was.
    pub kind: AssociationKind,
    /// Whom to ask.
    pub host: Host,
    /// The family a name must resolve to, if that was said.
    pub family: Option<Family>,
    /// The words after the host.
    pub options: AssociationOptions,
    /// The host's place.
    pub span: Span,
}

/// Options of an association's line.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the line, on its own"
)]
pub struct AssociationOptions {
    /// `iburst`: a burst of requests while the server is unreachable.
    pub iburst: bool,
    /// `burst`: a burst of requests at each poll.
    pub burst: bool,
    /// `prefer`.
    pub prefer: bool,
    /// `true`: counts as a truechimer whatever selection says.
    pub truechimer: bool,
    /// `noselect`: watched, never used.
    pub noselect: bool,
    /// `preempt`: may be dropped when there are enough others.
    pub preempt: bool,
    /// Least poll interval, log2 seconds, 0..=17; never above `maxpoll_log2_s`.
    pub minpoll_log2_s: u8,
    /// Greatest poll interval, log2 seconds, 0..=17.
    pub maxpoll_log2_s: u8,
    /// Symmetric key identifier, 1..=65535.
    pub key: Option<u16>,
    /// Protocol version of the requests, 1..=4.
    pub version: u8,
    /// `ttl`: routers a packet to a group may pass, plus one, 1..=255.
    pub ttl: Option<u8>,
    /// `xleave`: interleaved exchanges.
    pub xleave: bool,
    /// `xmtnonce`: random transmit stamps, which all our requests have.
    pub xmtnonce: bool,
    /// `autokey`: must be authenticated by Autokey, and by no key. A line that wants it is left out
    /// where no `crypto` line turns it on.
    pub autokey: bool,
    /// `ident`: name of the Autokey group.
    pub ident: Option<String>,
    /// `bias`, of NTPsec: added to each offset, seconds.
    pub bias_s: Option<f64>,
}

impl Default for AssociationOptions {
    fn default() -> Self {
        Self {
            iburst: false,
            burst: false,
            prefer: false,
            truechimer: false,
            noselect: false,
            preempt: false,
            minpoll_log2_s: 6,
            maxpoll_log2_s: 10,
            key: None,
            version: 4,
            ttl: None,
            xleave: false,
            xmtnonce: false,
            autokey: false,
            ident: None,
            bias_s: None,
        }
    }
}
